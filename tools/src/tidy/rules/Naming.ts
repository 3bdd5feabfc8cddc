/**
 * File names: one concept per file, named for it; tests say what they show by their suffix.
 */
import { posix } from "node:path"
import type { Problem, Rule } from "../Problem.ts"
import { packageAt, partOf } from "../Workspace.ts"

const concept = /^[A-Z][A-Za-z0-9]*\.ts$/
/** What a package.json or a person names directly: `index.ts`, `main.ts`, `check.ts` just below src. */
const entry = /^[a-z][a-z0-9-]*\.ts$/
const test = /^[A-Z][A-Za-z0-9]*(\.[a-z][a-z0-9-]*)*\.(test|bench|test-d)\.ts$/
const folder = /^[a-z0-9][a-z0-9-]*$/

const kinds = new Set(["property", "equivalence", "sim", "integration", "golden", "storm"])
/** `A.b.property.test.ts` → does the kind stand last, beside `test`? */
const kindIsLast = (name: string) => {
  const middle = name.split(".").slice(1, -2)
  return middle.slice(0, -1).every((each) => !kinds.has(each))
}

const nameProblem = (part: string, name: string, depth: number): string | undefined => {
  if (part === "src") {
    if (/\.(test|bench|spec)\.ts$/.test(name)) return "a test belongs below test/, which mirrors src/"
    if (concept.test(name) || name === "index.ts" || (depth === 0 && entry.test(name))) return undefined
    return "name the file for its concept, in PascalCase (Concept.ts)"
  }
  if (concept.test(name)) return undefined
  if (!test.test(name)) return "name it Concept.facet.test.ts, or Concept.ts when it only serves tests"
  return kindIsLast(name) ? undefined : `the kind (${[...kinds].join(", ")}) stands right before .test.ts`
}

export const naming: Rule = (workspace) => {
  const problems: Array<Problem> = []
  for (const path of workspace.sources.keys()) {
    const owner = packageAt(workspace, path)
    if (owner === undefined) continue
    const part = partOf(owner, path)
    if (part === "other") continue
    const inside = posix.relative(posix.join(owner.folder, part), path).split("/")
    const folders = inside.slice(0, -1)
    const report = (message: string) => problems.push({ path, line: 0, rule: "naming", message })
    const wrong = nameProblem(part, posix.basename(path), folders.length)
    if (wrong !== undefined) report(wrong)
    const odd = folders.find((each) => !folder.test(each))
    if (odd !== undefined) report(`folder "${odd}": folders are lower case`)
  }
  return problems
}
