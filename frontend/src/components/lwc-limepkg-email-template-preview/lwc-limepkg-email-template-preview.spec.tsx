import { describe, expect, h, it, render } from '@stencil/vitest';

import { httpError, testPlatform, TestPlatform } from '../../testing';
import './lwc-limepkg-email-template-preview';

const RENDERED = { subject: 'Hi Alva', html: '<p>Hi</p>', text: 'Hi', missing: [] as string[] };
const GROUPS = [
  {
    name: 'user',
    explanation: 'Who writes.',
    values: [{ name: 'user.name', explanation: 'The name.', example: 'Sam' }],
  },
];
const moment = (time = 30) => new Promise((resolve) => setTimeout(resolve, time));

async function preview(platform: TestPlatform) {
  const checked: unknown[] = [];
  const { root, waitForChanges, setProps } = await render(
    <lwc-limepkg-email-template-preview
      platform={platform}
      subject="Hi {{ recipient.name }}"
      body="<p>Hi</p>"
      groups={GROUPS}
      onChecked={(event: CustomEvent) => checked.push(event.detail)}
    />,
  );
  const settle = async (time?: number) => {
    await moment(time);
    await waitForChanges();
  };
  await settle();
  const one = (selector: string) => root.shadowRoot?.querySelector<HTMLElement>(selector);
  return { one, settle, setProps, checked };
}

describe('the preview of a template', () => {
  it('shows subject and mail in a frame that runs nothing', async () => {
    const found = await preview(testPlatform(() => RENDERED));
    expect(found.one('.subject strong')?.textContent).toBe('Hi Alva');
    expect(found.one('iframe')?.getAttribute('sandbox')).toBe('allow-same-origin');
    expect(found.checked).toEqual([undefined]);
  });

  it('asks once when somebody stops typing', async () => {
    const platform = testPlatform(() => RENDERED);
    const found = await preview(platform);
    for (const body of ['<p>a', '<p>ab', '<p>abc']) {
      await found.setProps({ body });
    }
    await found.settle(500);
    expect(platform.requests.map((each) => (each.data as { body: string }).body)).toEqual([
      '<p>Hi</p>',
      '<p>abc',
    ]);
  });

  it('keeps the last good one beside what is wrong now', async () => {
    let works = true;
    const platform = testPlatform(() => {
      if (!works) {
        throw httpError(422, { code: 'template_error', errors: { body: ['Line 1: No.'] } });
      }
      return RENDERED;
    });
    const found = await preview(platform);
    works = false;
    await found.setProps({ body: '{{' });
    await found.settle(500);
    expect(found.one('.notice')?.textContent).toContain('cannot be shown yet');
    expect(found.one('.result')?.classList.contains('old')).toBe(true);
    expect(found.checked.at(-1)).toMatchObject({ errors: { body: ['Line 1: No.'] } });
  });

  it('leaves out what is ticked and names what is missing', async () => {
    const platform = testPlatform(({ data }) => ({
      ...RENDERED,
      missing: (data as { missing: string[] }).missing,
    }));
    const found = await preview(platform);
    const box = found.one('input[value="user.name"]') as HTMLInputElement;
    box.checked = true;
    box.dispatchEvent(new Event('change'));
    await found.settle();
    expect(platform.requests.at(-1)?.data).toMatchObject({ missing: ['user.name'] });
    expect(found.one('.wait')?.textContent).toContain('no value: user.name');
    expect(found.one('summary')?.textContent).toContain('1 left out');
  });

  it('shows the plain text as well', async () => {
    const found = await preview(testPlatform(() => RENDERED));
    found.one('.choice button:last-child')?.click();
    await found.settle();
    expect(found.one('pre')?.textContent).toBe('Hi');
    expect(found.one('iframe')).toBeNull();
  });
});
