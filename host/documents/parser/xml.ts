/** XML parts of documents as a stream of elements. No entity is ever declared, and nothing outside is ever fetched. */
import { Parser } from 'htmlparser2';
import { hostile } from './refusals.ts';

export interface XmlHandlers {
  /** Names keep their prefix: `w:p`. */
  open?(name: string, attributes: Record<string, string>): void;
  text?(text: string): void;
  close?(name: string): void;
}

/** @throws `document-hostile` when the part declares entities. */
export function parseXml(xml: string, documentName: string, partName: string, handlers: XmlHandlers): void {
  refuseEntities(xml, documentName, partName);
  const parser = new Parser(
    { onopentag: (name, attributes) => handlers.open?.(name, attributes), ontext: (text) => handlers.text?.(text), onclosetag: (name) => handlers.close?.(name) },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
}

/** An entity can stand for a file of this machine, an address, or a text that grows without end. */
export function refuseEntities(xml: string, documentName: string, partName: string): void {
  if (/<!ENTITY\s/i.test(xml)) throw hostile(documentName, `its part “${partName}” declares entities, which can ask for other files or grow without end`);
}
