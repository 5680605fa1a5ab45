/** `/v1/documents`: add, list, read once into a memory, ask. */
import { stat } from 'node:fs/promises';
import type { DocumentRecord, ModelRecord, Reading } from '../contract/entities.ts';
import { checkDocumentsCap } from '../documents/documentsCap.ts';
import { receiveUpload } from '../server/uploads.ts';
import { type ApiParts, findModel } from './apiParts.ts';
import { createChatCompletion } from './chatCompletions.ts';
import type { Exchange } from './exchange.ts';
import { addDocumentRequest, askDocumentRequest, readDocumentRequest } from './requests.ts';

export function listDocuments(parts: ApiParts, exchange: Exchange): void {
  exchange.json(200, { object: 'list', data: parts.documents.list().map((document) => describe(parts, document)) });
}

export function showDocument(parts: ApiParts, documentId: string, exchange: Exchange): void {
  exchange.json(200, describe(parts, parts.documents.get(documentId)));
}

/** `{name, text}` as JSON; or the file itself as body, with its name in the query. */
export async function addDocument(parts: ApiParts, exchange: Exchange): Promise<void> {
  const { documents, documentIndex, files, folder, settings } = parts;
  const checkCap = (bytes: number) => checkDocumentsCap(folder.documents, settings.read().caps.documentsBytes, bytes);
  const fileName = exchange.url.searchParams.get('name');
  const add = async (): Promise<DocumentRecord> => {
    if (fileName === null) {
      const { name, text } = addDocumentRequest.parse(await exchange.body());
      await checkCap(Buffer.byteLength(text));
      return documents.addText(name, text);
    }
    const { fileId } = await receiveUpload(exchange.request, fileName, folder.staging, files);
    return files.use(fileId, async ({ path, name }) => {
      await checkCap((await stat(path)).size);
      return documents.addFile(path, name);
    });
  };
  const document = await add();
  // It enters the search in the background, as one that was added in a window does.
  void documentIndex.catchUp();
  exchange.json(201, describe(parts, document));
}

/** Begins to read, or goes on; ask for the document to see how far it is. */
export async function readDocument(parts: ApiParts, documentId: string, exchange: Exchange): Promise<void> {
  const { model } = readDocumentRequest.parse(await exchange.body());
  exchange.json(202, describeReading(parts.readings.start(documentId, findModel(parts, model).id)));
}

/** What `chat/completions` answers, with the document attached and a question in place of the messages. */
export async function askDocument(parts: ApiParts, documentId: string, exchange: Exchange): Promise<void> {
  const { question, ...rest } = askDocumentRequest.parse(await exchange.body());
  parts.documents.get(documentId);
  await createChatCompletion(parts, { ...rest, documents: [documentId], messages: [{ role: 'user', content: question }] }, exchange);
}

export function describeModel({ id, name, architecture, quantisation, parameters, sizeBytes, contextTokens, chat, state, addedAtMs }: ModelRecord) {
  const created = Math.floor(addedAtMs / 1000);
  return { id, object: 'model', created, owned_by: 'longleaf', name, architecture, quantisation, parameters, size_bytes: sizeBytes, context_tokens: contextTokens, chat, state };
}

function describe({ readings }: ApiParts, { id, name, format, sizeBytes, characters, notices, addedAtMs }: DocumentRecord) {
  const own = readings.list().filter(({ documentId }) => documentId === id);
  return { id, object: 'document', created: Math.floor(addedAtMs / 1000), name, format, size_bytes: sizeBytes, characters, notices, readings: own.map(describeReading) };
}

function describeReading({ modelId, state, doneTokens, totalTokens, secondsLeft, failure }: Reading) {
  return { object: 'document.reading', model: modelId, state, done_tokens: doneTokens, total_tokens: totalTokens, seconds_left: secondsLeft, failure };
}
