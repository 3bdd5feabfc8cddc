/**
 * Each of Effect's unstable families (`effect/unstable/…`) enters a package's src through one module of that package, so
 * that a change of theirs is met in one place.
 */
import type { Problem, Rule } from "../Problem.ts"
import { packageAt, partOf } from "../Workspace.ts"

const family = /^effect\/unstable\/([a-z-]+)/

export const unstableEffect: Rule = (workspace) => {
  const doors = new Map<string, { path: string; line: number }>()
  const problems: Array<Problem> = []
  for (const path of [...workspace.sources.keys()].sort()) {
    const owner = packageAt(workspace, path)
    if (owner === undefined || partOf(owner, path) !== "src") continue
    for (const { specifier, line } of workspace.sources.get(path)?.imports ?? []) {
      const name = family.exec(specifier)?.[1]
      if (name === undefined) continue
      const key = `${owner.folder} ${name}`
      const door = doors.get(key)
      if (door === undefined) doors.set(key, { path, line })
      else if (door.path !== path) {
        const message = `effect/unstable/${name} is already reached through ${door.path}: import what you need from there`
        problems.push({ path, line, rule: "unstable", message })
      }
    }
  }
  return problems
}
