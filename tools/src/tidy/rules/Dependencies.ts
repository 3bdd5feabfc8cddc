/**
 * package.json files: exact versions, one version of a package everywhere, nothing declared that is not imported.
 */
import type { Problem, Rule } from "../Problem.ts"
import { packageAt, packageNameOf, partOf, type Package, type Workspace } from "../Workspace.ts"

const exact = /^(workspace:\*|\d+\.\d+\.\d+(-[\w.]+)?)$/

const importedBy = (
  workspace: Workspace
): ReadonlyMap<Package, { src: ReadonlySet<string>; all: ReadonlySet<string> }> => {
  const found = new Map(
    workspace.packages.map((each) => [each, { src: new Set<string>(), all: new Set<string>() }] as const)
  )
  for (const file of workspace.sources.values()) {
    const owner = packageAt(workspace, file.path)
    const names = owner === undefined ? undefined : found.get(owner)
    if (owner === undefined || names === undefined) continue
    for (const { specifier } of [...file.imports, ...file.reexports]) {
      const name = packageNameOf(specifier)
      names.all.add(name)
      if (partOf(owner, file.path) === "src") names.src.add(name)
    }
  }
  return found
}

export const dependencies: Rule = (workspace) => {
  const problems: Array<Problem> = []
  const imported = importedBy(workspace)
  const versions = new Map<string, { version: string; folder: string }>()
  for (const each of [workspace.root, ...workspace.packages]) {
    const path = each.folder === "." ? "package.json" : `${each.folder}/package.json`
    const report = (message: string) => problems.push({ path, line: 0, rule: "dependencies", message })
    const names = imported.get(each)
    for (const [name, version] of Object.entries({ ...each.dependencies, ...each.devDependencies })) {
      if (!exact.test(version)) report(`${name} ${version}: pin an exact version`)
      const first = versions.get(name)
      if (first === undefined) versions.set(name, { version, folder: each.folder })
      else if (first.version !== version)
        report(`${name} ${version}: ${first.folder} has ${first.version}, use one version`)
      if (names === undefined) continue
      const used = name in each.dependencies ? names.src : names.all
      if (!used.has(name)) {
        const why = names.all.has(name)
          ? "is imported by tests only: move it to devDependencies"
          : "is imported nowhere: remove it"
        report(`${name} ${why}`)
      }
    }
  }
  return problems
}
