/** Small workspaces for the tests of tidy's rules. */
import type { Rule } from "../../src/tidy/Problem.ts"
import { workspaceOf } from "../../src/tidy/Workspace.ts"

/** package.json texts of a few rooms, as the repository has them. */
export const manifest = (name: string, dependencies: Record<string, string> = {}): string =>
  JSON.stringify({ name: `@frazil/${name}`, exports: { ".": "./src/index.ts" }, dependencies })

/** `path:line message` of what the rule finds, by path. */
export const found = (rule: Rule, files: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  rule(workspaceOf(files)).map(({ path, line, message }) => `${path}:${line} ${message}`)
