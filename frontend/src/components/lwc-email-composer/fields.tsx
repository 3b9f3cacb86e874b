/** The fields of the form around the text. */

import { FunctionalComponent, h } from '@stencil/core';

import { MessageDocument } from '../../services/email-api/messages';
import { Texts } from '../../translate';
import { formatSize } from '../../ui/files';
import { EMPTY_PAGE, showIn } from '../../ui/still';
import { Writing } from './writing';

interface PartProps {
  writing: Writing;
  texts: Texts;
}

/** What is wrong with a field. */
export const Wrong: FunctionalComponent<{ sentence: string; id?: string }> = ({ sentence, id }) => (
  <p class="wrong" id={id} role="alert">
    {sentence}
  </p>
);

/** The account; a choice only where there is one. */
export const From: FunctionalComponent<PartProps> = ({ writing, texts }) => {
  const label = texts.get('composer.from');
  const [only, ...others] = writing.accounts;
  const error = writing.problems.account;
  const shown = (each: { name: string; email: string }): string =>
    each.name ? `${each.name} <${each.email}>` : each.email;
  return (
    <div class="from">
      {others.length ? (
        <label>
          <span class="label">{label}</span>
          <select
            aria-invalid={error ? 'true' : undefined}
            disabled={writing.phase === 'sending'}
            onChange={(event) => {
              event.stopPropagation();
              writing.setAccount(Number((event.target as HTMLSelectElement).value));
            }}
          >
            {writing.accounts.map((each) => (
              <option value={each.id} selected={each.id === writing.account}>
                {shown(each)}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <p>
          <span class="label">{label}</span>{' '}
          {only ? shown(only) : texts.get('composer.no_accounts')}
        </p>
      )}
      {error && <Wrong sentence={error} />}
    </div>
  );
};

export const Subject: FunctionalComponent<PartProps> = ({ writing, texts }) => {
  const error = writing.problems.subject;
  return (
    <div class="subject">
      <label>
        <span class="label">{texts.get('composer.subject')}</span>
        <input
          type="text"
          name="subject"
          maxlength={512}
          value={writing.subject}
          disabled={writing.phase === 'sending'}
          aria-invalid={error ? 'true' : undefined}
          aria-describedby={error ? 'subject-error' : undefined}
          onInput={(event) => writing.setSubject((event.target as HTMLInputElement).value)}
          onChange={(event) => event.stopPropagation()}
        />
      </label>
      {error && <Wrong sentence={error} id="subject-error" />}
    </div>
  );
};

/** What the server puts below the text. */
export const Signature: FunctionalComponent<PartProps> = ({ writing, texts }) => {
  return writing.signature ? (
    <details class="signature">
      <summary>{texts.get('composer.signature')}</summary>
      <iframe
        title={texts.get('composer.signature')}
        // Sanitised by the server; without `allow-scripts` nothing in it ever runs.
        sandbox="allow-same-origin"
        srcdoc={EMPTY_PAGE}
        ref={(frame) => show(frame, writing.signature)}
        onLoad={(event) => show(event.target as HTMLIFrameElement, writing.signature)}
      />
    </details>
  ) : null;
};

function show(frame: HTMLIFrameElement | undefined, html: string): void {
  if (frame?.contentDocument?.body) {
    showIn(frame.contentDocument, html);
  }
}

interface RecordProps extends PartProps {
  documents: MessageDocument[];
}

/** The documents that the record has, to choose from. */
export const RecordDocuments: FunctionalComponent<RecordProps> = ({
  writing,
  texts,
  documents,
}) => {
  const present = new Set(writing.attached.map((each) => each.document));
  return (
    <div class="record">
      <strong>{texts.get('composer.from_record')}</strong>
      {!documents.length && <p class="quiet">{texts.get('composer.no_documents')}</p>}
      <ul>
        {documents.map((each) => (
          <li key={String(each.id)}>
            <label>
              <input
                type="checkbox"
                checked={present.has(each.id)}
                onChange={(event) => {
                  event.stopPropagation();
                  if (present.has(each.id)) {
                    writing.detach(`document-${each.id}`);
                  } else {
                    writing.attachDocument(each);
                  }
                }}
              />
              {each.filename} <span class="quiet">{formatSize(each.size, texts.language)}</span>
            </label>
          </li>
        ))}
      </ul>
    </div>
  );
};
