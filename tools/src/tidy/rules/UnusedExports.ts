/**
 * Nothing is exported that nobody uses.
 *
 * What a package's entry exports must be used outside its src: another package, an app, a bench, a test, or code in a
 * document. What an internal module exports must be used by another module of the same src. A test counts only for what
 * its own module uses too: code that lives for its test alone is dead. A type that its own module mentions may stay
 * exported, since it appears in what is.
 */
import type { Problem, Rule } from "../Problem.ts"
import { packageAt, partOf, resolveImport, type Package, type Workspace } from "../Workspace.ts"
import { exportedNames, findUses, useKey, type Uses } from "../Uses.ts"

const mentionedMoreThanDeclared = (workspace: Workspace, path: string, name: string) =>
  (workspace.sources.get(path)?.mentions.get(name) ?? 0) > 1

const inDocuments = (workspace: Workspace, name: string) => {
  const word = new RegExp(`\\b${name.replace("$", "\\$")}\\b`)
  for (const [path, text] of workspace.texts) {
    if (path.endsWith(".md") && (text.match(/```[\s\S]*?```/g) ?? []).some((block) => word.test(block))) return true
  }
  return false
}

const entryProblems = (workspace: Workspace, owner: Package, entry: string, uses: Uses): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const outside = (path: string, name: string) =>
    [...(uses.get(useKey(path, name)) ?? [])].some((user) => !user.startsWith(`${owner.folder}/src/`))
  for (const [name, origin] of exportedNames(workspace, entry)) {
    if (outside(entry, name) || outside(origin.path, origin.name)) continue
    const typeOnly = workspace.sources.get(origin.path)?.exports.find((each) => each.name === origin.name)?.typeOnly
    if (typeOnly === true && mentionedMoreThanDeclared(workspace, origin.path, origin.name)) continue
    if (
      origin.name === "*" &&
      [...exportedNames(workspace, origin.path).keys()].some((each) => outside(origin.path, each))
    )
      continue
    if (inDocuments(workspace, name)) continue
    const message = `"${name}" is used nowhere outside ${owner.folder}/src: take it out of the package's exports`
    problems.push({ path: entry, line: origin.line, rule: "unused-export", message })
  }
  return problems
}

/** `path#name` of everything that some module of the same src re-exports. */
const reexported = (workspace: Workspace): ReadonlySet<string> => {
  const names = new Set<string>()
  for (const file of workspace.sources.values()) {
    for (const each of file.reexports) {
      const target = resolveImport(workspace, file.path, each.specifier)
      if (target === undefined) continue
      if (each.name !== "*") names.add(useKey(target, each.name))
      else for (const name of exportedNames(workspace, target).keys()) names.add(useKey(target, name))
    }
  }
  return names
}

export const unusedExports: Rule = (workspace) => {
  const uses = findUses(workspace)
  const passedOn = reexported(workspace)
  const problems: Array<Problem> = []
  for (const owner of workspace.packages) {
    const entries = new Set(owner.entries.values())
    for (const entry of entries) problems.push(...entryProblems(workspace, owner, entry, uses))
    for (const file of workspace.sources.values()) {
      if (packageAt(workspace, file.path) !== owner || partOf(owner, file.path) !== "src" || entries.has(file.path))
        continue
      for (const each of file.exports) {
        const users = [...(uses.get(useKey(file.path, each.name)) ?? [])].filter((user) => user !== file.path)
        if (passedOn.has(useKey(file.path, each.name)) || users.some((user) => user.startsWith(`${owner.folder}/src/`)))
          continue
        const mentioned = mentionedMoreThanDeclared(workspace, file.path, each.local)
        if (mentioned && (each.typeOnly || users.length > 0)) continue
        const advice = mentioned
          ? "drop the export"
          : users.length > 0
            ? "only tests use it, so move it there"
            : "remove it"
        const message = `"${each.name}" is imported by no other module of ${owner.folder}/src: ${advice}`
        problems.push({ path: file.path, line: each.line, rule: "unused-export", message })
      }
    }
  }
  return problems
}
