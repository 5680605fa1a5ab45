/** The words of what is for looking for faults, and of licences. */
export const diagnosticsStrings = {
  title: 'Diagnostics',
  hint: 'For whoever looks for the cause of a fault. Nothing here is sent anywhere.',
  log: 'Log',
  lines: (count: number) => (count === 0 ? 'Nothing has been written down yet.' : `The last ${count} lines`),
  report: 'Report',
  reportHint: 'Facts about this machine, counts, settings and the log. Without texts, names and paths; you see it before you save it.',
  showReport: 'Show the report…',
  reportTitle: 'Diagnostic report',
  reportDescription: 'This, and nothing else, is saved. Read it before you hand it to anybody.',
  save: 'Save…',
  fileName: 'longleaf-report.txt',
  licences: 'Licences',
  licencesHint: 'Longleaf is under the MIT licence. It is made of the work of many others.',
  showLicences: 'Show the licences…',
  licencesTitle: 'Licences',
  licencesDescription: (count: number) => `${count} programs, libraries, fonts and texts come along. Those of Chromium lie beside the app.`,
} as const;
