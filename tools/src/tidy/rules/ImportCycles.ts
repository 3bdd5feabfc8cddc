/**
 * No module of src reaches itself through values it imports. Types may go round: they are gone when the program runs.
 *
 * Each cycle is reported once, at its first file by name.
 */
import type { Problem, Rule } from "../Problem.ts"
import { packageAt, partOf, resolveImport, type Workspace } from "../Workspace.ts"

const valueImports = (workspace: Workspace): ReadonlyMap<string, ReadonlyArray<string>> => {
  const edges = new Map<string, Array<string>>()
  for (const file of workspace.sources.values()) {
    const owner = packageAt(workspace, file.path)
    if (owner === undefined || partOf(owner, file.path) !== "src") continue
    const specifiers = [...file.imports.filter((each) => !each.typeOnly), ...file.reexports].map(
      (each) => each.specifier
    )
    const targets = specifiers.map((each) => resolveImport(workspace, file.path, each))
    edges.set(file.path, targets.filter((each) => each !== undefined && workspace.sources.has(each)) as Array<string>) // undefined is filtered out
  }
  return edges
}

export const importCycles: Rule = (workspace) => {
  const edges = valueImports(workspace)
  const problems: Array<Problem> = []
  const done = new Set<string>()
  const path: Array<string> = []
  const visit = (file: string): void => {
    const seenAt = path.indexOf(file)
    if (seenAt >= 0) {
      const cycle = path.slice(seenAt)
      const first = [...cycle].sort()[0]! // a cycle has at least one file
      const turned = [...cycle.slice(cycle.indexOf(first)), ...cycle.slice(0, cycle.indexOf(first)), first]
      const message = `import cycle ${turned.join(" → ")}: move what both need into a third file, or import the type only`
      problems.push({ path: first, line: 0, rule: "import-cycle", message })
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const target of edges.get(file) ?? []) visit(target)
    path.pop()
    done.add(file)
  }
  for (const file of [...edges.keys()].sort()) visit(file)
  return problems
}
