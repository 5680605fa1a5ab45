/** Die Wörter über das Umziehen des Datenordners auf Deutsch. */
import type { DataFolderStrings } from './strings.ts';

export const german: DataFolderStrings = {
  move: 'Umziehen…',
  title: 'Datenordner umziehen',
  lead: 'Modelle, Dokumente, Gelesenes und Chats kommen in einen anderen Ordner oder auf ein anderes Laufwerk. Alles wird kopiert und noch einmal gelesen, bevor der alte Ordner gelöscht wird.',
  path: 'Ordner',
  pathHint: 'Ein leerer oder ein neuer Ordner, mit vollem Pfad. Neben anderem wird darin ein Ordner „Longleaf“ angelegt.',
  check: 'Prüfen',
  choose: 'Ordner wählen…',
  from: 'Von',
  to: 'Nach',
  takes: 'Umfang',
  free: (bytes) => `dort sind ${bytes} frei`,
  sameDrive: 'Dasselbe Laufwerk: Es muss nichts kopiert werden.',
  jobs: (count) => (count === 1 ? 'Ein Vorgang läuft. Er wird angehalten und geht weiter, wenn der Ordner umgezogen ist.' : `${count} Vorgänge laufen. Sie werden angehalten und gehen weiter, wenn der Ordner umgezogen ist.`),
  begin: 'Umziehen',
  stopAndBegin: 'Anhalten und umziehen',
  moving: 'Der Datenordner zieht um',
  movingHint: 'Longleaf öffnet sich danach von selbst wieder. Bis dahin bleibt alles, wo es war.',
  phases: { stopping: 'Laufendes wird angehalten…', copying: 'Kopieren und Prüfen…', opening: 'Öffnen…' },
  progress: (done, total) => `${done} von ${total}`,
  stop: 'Abbrechen und alles lassen, wo es war',
  moved: (path) => `Der Datenordner ist jetzt ${path}.`,
  unfinished: (path) => `Der Umzug des Datenordners nach ${path} wurde unterbrochen. Alles ist noch hier.`,
  resume: 'Fortsetzen',
  undo: 'Kopie löschen',
};
