/**
 * Who may import whom: between packages, within a package, and from outside.
 *
 * The table is the picture in ARCHITECTURE.md. `linker = "isolated"` already refuses what package.json does not declare;
 * this says so in words, and refuses what may not be declared.
 */
import { posix } from "node:path"
import type { Problem, Rule } from "../Problem.ts"
import type { Import, Reexport, SourceFile } from "../SourceFile.ts"
import { packageAt, packageNameOf, partOf, resolveImport, type Package, type Workspace } from "../Workspace.ts"

type Edge = Pick<Import | Reexport, "specifier" | "line">

/** By folder: the folders whose packages it may import. `sim` means anything but apps. */
const graph: Readonly<Record<string, ReadonlyArray<string> | "any">> = {
  "packages/core": [],
  "packages/model": ["packages/core"],
  "packages/engine": ["packages/core"],
  "packages/connect": ["packages/core", "packages/engine"],
  "packages/rules": ["packages/core", "packages/engine"],
  "packages/lake": ["packages/core", "packages/engine"],
  "packages/flows": ["packages/core", "packages/model", "packages/engine", "packages/rules"],
  "packages/analytics": ["packages/core", "packages/lake"],
  "packages/gateway": ["core", "model", "engine", "rules", "analytics", "lake", "platform"].map(
    (each) => `packages/${each}`
  ),
  "packages/platform": ["core", "engine", "connect", "lake"].map((each) => `packages/${each}`),
  "packages/sim": "any",
  lakehouse: ["core", "model", "engine", "rules", "lake"].map((each) => `packages/${each}`),
  bench: "any",
  notebooks: "any",
  scenarios: "any",
  "runtime-tests": "any",
  tools: []
}

/** Besides tests and benches, only these may take fakes and faults into a program. */
const simImporters = new Set([
  "bench",
  "runtime-tests",
  "scenarios",
  "packages/sim",
  "apps/generator",
  "apps/bureau",
  "apps/pipeline",
  "apps/cli"
])

/** Folders of src that promise to do without something: what they may not import. */
const without: ReadonlyArray<readonly [folder: string, refused: RegExp, why: string]> = [
  ["packages/lake/src/spec/", /^node:|\/(io|write|read|catalog|landing)\//, "spec holds the format, without I/O"],
  ["packages/sim/src/oracle/", /^@frazil\//, "the oracle shares no code with what it judges"],
  ["packages/model/src/", /^node:/, "model holds contracts, without I/O"],
  ["packages/flows/src/", /^node:/, "flows get their connectors passed in"]
]

const between = (from: Package, to: Package): string | undefined => {
  if (to.folder.startsWith("apps/")) return "no package may import an app: move what is shared into a package"
  if (to.folder === "packages/sim" && !simImporters.has(from.folder)) {
    return "only tests, benches and apps/{generator,bureau,pipeline,cli} may import sim"
  }
  const allowed = from.folder.startsWith("apps/") ? "any" : graph[from.folder]
  if (allowed === undefined)
    return `${from.folder} is not in the import graph: add it to ARCHITECTURE.md and to ImportGraph.ts`
  if (allowed === "any" || allowed.includes(to.folder)) return undefined
  const names = allowed.map((each) => posix.basename(each)).join(", ")
  return `${from.folder} may import ${names === "" ? "nothing of ours" : `only ${names}`}: move the code, or pass the value in`
}

const relativeProblem = (workspace: Workspace, file: SourceFile, owner: Package, edge: Edge): string | undefined => {
  const target = posix.join(posix.dirname(file.path), edge.specifier)
  if (!target.startsWith(`${owner.folder}/`))
    return "a relative import leaves the package: import the package by its name"
  if (partOf(owner, file.path) === "src" && partOf(owner, target) === "test")
    return "src may not import test: move the code to src"
  return workspace.paths.has(target) ? undefined : "no such file: imports end in .ts and name a file"
}

const packageProblem = (workspace: Workspace, file: SourceFile, owner: Package, edge: Edge): string | undefined => {
  const name = packageNameOf(edge.specifier)
  const inSrc = partOf(owner, file.path) === "src"
  const ours = workspace.packages.find((each) => each.name === name)
  if (ours !== undefined && ours !== owner && inSrc) {
    const refused = between(owner, ours)
    if (refused !== undefined) return refused
  }
  if (ours !== undefined && resolveImport(workspace, file.path, edge.specifier) === undefined) {
    return `${name} does not export this path: import from "${name}"`
  }
  if (ours === owner) return inSrc ? "a package does not import itself by name: use a relative path" : undefined
  const declared = inSrc
    ? { ...owner.dependencies }
    : { ...workspace.root.devDependencies, ...owner.devDependencies, ...owner.dependencies }
  return name in declared
    ? undefined
    : `${name} is not declared: add it to ${owner.folder}/package.json with an exact version`
}

const edgeProblem = (workspace: Workspace, file: SourceFile, owner: Package, edge: Edge): string | undefined => {
  const { specifier } = edge
  for (const [folder, refused, why] of without) {
    if (file.path.startsWith(folder) && refused.test(specifier)) return `${why}: pass it in, or move this file`
  }
  if (specifier.startsWith("node:")) return undefined
  if (/^(bun|deno|jsr|npm)(:|$)/.test(specifier))
    return "runs on one runtime only: use node: or a package that runs on all three"
  return specifier.startsWith(".")
    ? relativeProblem(workspace, file, owner, edge)
    : packageProblem(workspace, file, owner, edge)
}

export const importGraph: Rule = (workspace) => {
  const problems: Array<Problem> = []
  for (const file of workspace.sources.values()) {
    const owner = packageAt(workspace, file.path)
    if (owner === undefined) continue
    for (const edge of [...file.imports, ...file.reexports]) {
      const wrong = edgeProblem(workspace, file, owner, edge)
      if (wrong === undefined) continue
      const message = `import of "${edge.specifier}": ${wrong}`
      if (problems.some((each) => each.path === file.path && each.message === message)) continue
      problems.push({ path: file.path, line: edge.line, rule: "import-graph", message })
    }
  }
  return problems
}
