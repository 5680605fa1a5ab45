/** Sends a file to the host in a browser. */
import { failure } from '../../host/contract/entities.ts';
import { ContractError } from '../../host/contract/client.ts';
import { uploadReply } from '../../host/contract/shell.ts';
import { strings } from './strings.ts';

/** Gives the id under which the host knows what was sent. */
export async function putFile(address: string, body: File | null, onProgress: (fraction: number) => void = () => undefined): Promise<string> {
  // XMLHttpRequest, because fetch does not report how much of a body has been sent.
  const request = new XMLHttpRequest();
  request.open('PUT', address);
  const answer = await new Promise<string>((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0));
    request.addEventListener('error', () => reject(uploadFailed(request.responseText)));
    request.addEventListener('load', () => (request.status < 300 ? resolve(request.responseText) : reject(uploadFailed(request.responseText))));
    request.send(body);
  });
  return uploadReply.parse(JSON.parse(answer)).fileId;
}

function uploadFailed(body: string): ContractError {
  try {
    const told = failure.safeParse(JSON.parse(body));
    if (told.success) return new ContractError(told.data);
  } catch {
    // Not the host's words: a broken connection, or a proxy's page.
  }
  return new ContractError({ code: 'upload-failed', ...strings.upload.failed });
}
