// Puts elements in order.

/** Bring the children into this order, moving as little as possible: a moved frame loads again. */
export function place(parent, wanted) {
  const keep = new Set(wanted);
  for (const each of [...parent.children]) if (!keep.has(each)) each.remove();
  let next = parent.firstElementChild;
  for (const each of wanted) {
    if (each === next) next = next.nextElementSibling;
    else parent.insertBefore(each, next);
  }
}
