/** Every request that left this machine, as the host wrote it down. */
import { useEffect, useState } from 'react';
import type { MethodResult } from '../../../../host/contract/methods.ts';
import { host } from '../../../app/connection/session.ts';
import { reportFailure } from '../../../app/failures.ts';
import { formatDateAndTime } from '../../../app/format.ts';
import { said } from '../../../app/said/said.ts';
import { settingsStrings } from '../strings.ts';

const text = settingsStrings.privacy.outbound;

const askAgainMs = 2000;

export function OutboundList() {
  const [requests, setRequests] = useState<MethodResult<'app.outbound'> | null>(null);
  useEffect(() => {
    const ask = (onFailure: (error: unknown) => void) => void host.call('app.outbound', {}).then(setRequests, onFailure);
    ask(reportFailure);
    // Looking for an update, or a download, may write another one down while the list is looked at. That the host is
    // gone is said elsewhere.
    const timer = setInterval(() => ask(() => undefined), askAgainMs);
    return () => clearInterval(timer);
  }, []);
  if (!requests) return null;
  return (
    <div className="py-2.5">
      <h3 className="font-medium">{text.title}</h3>
      {requests.length === 0 ? (
        <p className="text-small text-quiet">{text.none}</p>
      ) : (
        <details className="mt-0.5">
          <summary className="cursor-pointer rounded-sm text-small text-quiet">{text.count(requests.length)}</summary>
          <div className="mt-2 overflow-x-auto">
            <table className="selectable w-full text-small tabular-nums">
              <thead>
                <tr className="text-left text-faint [&>th]:pr-4 [&>th]:pb-1 [&>th]:font-normal">
                  <th scope="col">{text.columns.time}</th>
                  <th scope="col">{text.columns.purpose}</th>
                  <th scope="col">{text.columns.address}</th>
                  <th scope="col">{text.columns.outcome}</th>
                </tr>
              </thead>
              <tbody>
                {requests.map(({ atMs, purpose, address, outcome }) => (
                  <tr key={`${atMs} ${address}`} className="align-top [&>td]:py-0.5 [&>td]:pr-4">
                    <td className="whitespace-nowrap">{formatDateAndTime(atMs)}</td>
                    <td>{said(purpose)}</td>
                    <td className="break-all">{address}</td>
                    <td className="whitespace-nowrap">{outcome ?? text.underWay}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </div>
  );
}
