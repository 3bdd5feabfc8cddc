/**
 * Which export is used from which file: follows imports through re-exports to the module that declares the name.
 *
 * Made for UnusedExports. A namespace (`import * as X`, `export * as X`) counts as a use of the members taken from it, or
 * of all of them where the object itself is passed on.
 */
import type { SourceFile } from "./SourceFile.ts"
import { resolveImport, type Workspace } from "./Workspace.ts"

/** By `path#name`: the files that use the export. */
export type Uses = ReadonlyMap<string, ReadonlySet<string>>

export const useKey = (path: string, name: string): string => `${path}#${name}`

/** Every name a module exports, with where it was declared: `index.ts` re-exports resolve to their origin. */
export const exportedNames = (
  workspace: Workspace,
  path: string,
  seen = new Set<string>()
): ReadonlyMap<string, Origin> => {
  const names = new Map<string, Origin>()
  const file = workspace.sources.get(path)
  if (file === undefined || seen.has(path)) return names
  seen.add(path)
  for (const each of file.exports) names.set(each.name, { path, name: each.name, line: each.line })
  for (const each of file.reexports) {
    const target = resolveImport(workspace, path, each.specifier)
    if (target === undefined) continue
    if (each.name !== "*") {
      const origin = exportedNames(workspace, target, new Set(seen)).get(each.name)
      names.set(each.as, { ...(origin ?? { path: target, name: each.name }), line: each.line })
    } else if (each.as !== "*") names.set(each.as, { path: target, name: "*", line: each.line })
    else {
      for (const [name, origin] of exportedNames(workspace, target, seen)) {
        if (!names.has(name)) names.set(name, { ...origin, line: each.line })
      }
    }
  }
  return names
}

/** Where a name was declared; name `*` is the module as an object. `line` is that of the export asked about. */
export interface Origin {
  readonly path: string
  readonly name: string
  readonly line: number
}

export const findUses = (workspace: Workspace): Uses => {
  const uses = new Map<string, Set<string>>()
  const tables = new Map<string, ReadonlyMap<string, Origin>>()
  const tableOf = (path: string) => {
    const table = tables.get(path) ?? exportedNames(workspace, path)
    tables.set(path, table)
    return table
  }
  const add = (path: string, name: string, by: string) => {
    const key = useKey(path, name)
    uses.set(key, (uses.get(key) ?? new Set()).add(by))
  }
  /** `by` uses `name` of `target`; `local` is what `by` calls it, for following a namespace. */
  const use = (target: string, name: string, local: string, by: SourceFile): void => {
    if (name === "*") {
      const passedOn = (by.mentions.get(local) ?? 0) > 0
      for (const member of passedOn ? tableOf(target).keys() : (by.members.get(local) ?? []))
        use(target, member, member, by)
      return
    }
    const origin = tableOf(target).get(name)
    if (origin === undefined) return
    add(target, name, by.path)
    if (origin.name === "*") use(origin.path, "*", local, by)
    else if (origin.path !== target) add(origin.path, origin.name, by.path)
  }
  for (const file of workspace.sources.values()) {
    for (const each of file.imports) {
      const target = resolveImport(workspace, file.path, each.specifier)
      if (target === undefined || !workspace.sources.has(target)) continue
      if (each.dynamic) for (const name of tableOf(target).keys()) use(target, name, name, file)
      for (const { name, local } of each.names) use(target, name, local, file)
    }
  }
  return uses
}
