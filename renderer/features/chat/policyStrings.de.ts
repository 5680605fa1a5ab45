/** Die Verfahren auf Deutsch. */
import type { PolicyPickerStrings, PolicyStrings } from './policyStrings.ts';

export const germanPolicies: PolicyStrings = {
  sketch: { name: 'Skizze', line: 'Findet mit einem kleinen Verzeichnis, was zählt, und schätzt den Rest. Schnell bei jeder Länge.' },
  clusters: { name: 'Gruppen', line: 'Genau in den besten Gruppen, schätzt den Rest. Schnell, kann aber einzelne Token verfehlen.' },
  graph: { name: 'Graph', line: 'Findet über Graphen, was zählt, und lässt den Rest weg. Sie zu bauen kostet Zeit und Speicher.' },
  quest: { name: 'Quest', line: 'Genau in den Seiten mit den besten Schranken, lässt den Rest weg. Schnell, aber grob.' },
  window: { name: 'Fenster', line: 'Nur die ersten und die letzten Token. Am schnellsten; die Mitte entfällt.' },
  full: { name: 'Voll', line: 'Jedes Token genau. Langsam: Für jedes geschriebene Token wird alles neu geholt.' },
  flat: { name: 'Flach', line: 'Bewertet jedes Token und behält nur die besten. So langsam wie Voll; zum Vergleich.' },
};

export const germanPolicyPicker: PolicyPickerStrings = {
  label: 'Jenseits der GPU',
  choose: 'Wie beachtet wird, was jenseits der GPU liegt',
  hint: 'Zählt erst, wenn ein Chat länger ist als der Anteil der GPU für Schlüssel und Werte, der unter Einstellungen steht. Graph und Quest laden das Modell neu.',
  defaultName: 'Standard (Skizze, 2 %)',
  budget: 'Umfang',
  budgetHint: 'Wie viele der Token jenseits der GPU auf einmal genau beachtet werden.',
  misses: 'Gewählt, aber nicht auf der GPU',
  missesHints: {
    strict: 'Jedes Token wartet auf sie. Genau, und langsam, wo viel fehlt.',
    lagged: 'Schneller und weniger nah an voller Beachtung: Nach den ersten Token einer Antwort werden sie vorerst geschätzt oder weggelassen, als verpasst gezählt und sind bei den nächsten da.',
    rolling: 'Am schnellsten und weniger nah an voller Beachtung: Nach den ersten Token einer Antwort beachtet jedes alles, was auf der GPU liegt, und die Schichten wählen reihum, was dorthin kommt.',
  },
  missNames: { strict: 'Warten', lagged: 'Weiter', rolling: 'Reihum' },
  turn: 'Eine Schicht ist an der Reihe alle',
  turnHint: 'So viele Token. Weniger sind näher an voller Beachtung, mehr sind schneller.',
  units: { share: 'Prozent', tokens: 'Token' },
};
