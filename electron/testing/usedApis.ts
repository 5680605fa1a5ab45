/** Which of Electron's APIs the sources here use, as the TypeScript compiler sees it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, PropertyAccessExpression } from 'typescript/unstable/ast';
import { isBindingElement, isCallExpression, isIdentifier, isNewExpression, isObjectBindingPattern, isPropertyAccessExpression, isStringLiteral } from 'typescript/unstable/ast/is';
import { API, type Checker, type Symbol } from 'typescript/unstable/sync';

/** Like `App.getPath`, `new Tray`, `WebContents.on will-navigate`; sorted. */
export function usedApis(root: string): string[] {
  const compiler = new API({ cwd: root });
  try {
    const [project] = compiler.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] }).getProjects();
    if (!project) throw new Error('There is no project in tsconfig.json.');
    const used = new Set<string>();
    for (const name of readdirSync(join(root, 'electron'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !/\.test\.ts$|^testing/.test(file))) {
      const source = project.program.getSourceFile(join(root, 'electron', name));
      if (!source) throw new Error(`electron/${name} is no part of the project.`);
      collect(source, project.checker, used);
    }
    return [...used].sort();
  } finally {
    compiler.close();
  }
}

function collect(node: Node, checker: Checker, used: Set<string>): void {
  if (isPropertyAccessExpression(node)) {
    const api = apiOf(checker.getSymbolAtLocation(node.name));
    if (api) used.add(api + eventOf(node));
  } else if (isBindingElement(node) && isObjectBindingPattern(node.parent)) {
    const name = node.propertyName ?? node.name;
    const taken = checker.getTypeAtLocation(node.parent);
    const api = name && isIdentifier(name) && taken && apiOf(checker.getPropertyOfType(taken, name.text));
    if (api) used.add(api);
  } else if (isNewExpression(node)) {
    const made = checker.getTypeAtLocation(node.expression)?.getSymbol();
    if (made && declaredByElectron(made)) used.add(`new ${made.name}`);
  }
  node.forEachChild((child) => {
    collect(child, checker, used);
  });
}

/** `on` says little: the event is what may behave differently. */
function eventOf({ parent, name }: PropertyAccessExpression): string {
  if (!isCallExpression(parent) || !['on', 'once'].includes(name.text)) return '';
  const [event] = parent.arguments;
  return event && isStringLiteral(event) ? ` ${event.text}` : '';
}

function apiOf(symbol: Symbol | undefined): string | undefined {
  if (!symbol || !declaredByElectron(symbol)) return undefined;
  const owner = symbol.getParent()?.name ?? '';
  // What several of its types share has no one owner, and a type without a name is none.
  return `${owner.startsWith('__') ? '' : owner}.${symbol.name}`;
}

function declaredByElectron({ declarations }: Symbol): boolean {
  return declarations.some(({ path }) => path.endsWith('/electron/electron.d.ts'));
}
