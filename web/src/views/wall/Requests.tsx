// The requests that the page makes, to be made again elsewhere.
import { useState } from 'preact/hooks';
import { curlOf, type Ask } from '../../app/api';
import { strings } from '../../app/strings';
import { copyText } from '../../parts/DataTable';
import { Dialog } from '../../parts/Dialog';

export function Requests({ requests, onClose }: { requests: { title: string; ask: Ask }[]; onClose: () => void }) {
  const [copied, setCopied] = useState<string | null>(null);
  return (
    <Dialog title={strings.wall.requestTitle} onClose={onClose}>
      <p class="quiet requests-lead">{strings.wall.requestLead}</p>
      {requests.map(({ title, ask }) => (
        <section key={title} class="request">
          <h3>{title}</h3>
          <pre tabIndex={0} aria-label={title}>{curlOf(ask)}</pre>
          <button type="button" onClick={() => void copyText(curlOf(ask)).then(() => setCopied(title))}>{strings.wall.copyCurl}</button>{' '}
          <span role="status" class="quiet">{copied === title ? strings.copied : ''}</span>
        </section>
      ))}
    </Dialog>
  );
}
