/** Recipients while they are typed. */

/**
 * Tell apart what is finished by a comma, a semicolon or a line end, and what is still being typed.
 *
 * Nothing is `finished` where none of these ends anything: in `"Berg, Bo` and in `Bo <b@x.se,`.
 */
export function splitTyped(text: string): { finished?: string; rest: string } {
  let end = -1;
  let quoted = false;
  let inAngles = false;
  for (let at = 0; at < text.length; at++) {
    const each = text.charAt(at);
    if (each === '"' && text.charAt(at - 1) !== '\\') {
      quoted = !quoted;
    } else if (!quoted && /[<>]/.test(each)) {
      inAngles = each === '<';
    } else if (!quoted && !inAngles && /[,;\r\n]/.test(each)) {
      end = at;
    }
  }
  return end < 0
    ? { rest: text }
    : { finished: text.slice(0, end), rest: text.slice(end + 1).trimStart() };
}
