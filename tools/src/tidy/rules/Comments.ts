/**
 * Every module of src opens by saying what it is, and every cast says why it holds.
 */
import { posix } from "node:path"
import type { Problem, Rule } from "../Problem.ts"
import { packageAt, partOf } from "../Workspace.ts"

export const comments: Rule = (workspace) => {
  const problems: Array<Problem> = []
  for (const file of workspace.sources.values()) {
    const owner = packageAt(workspace, file.path)
    if (owner === undefined || partOf(owner, file.path) !== "src") continue
    if (!file.headed && posix.basename(file.path) !== "index.ts") {
      const message = "open the module with two to six lines: what it is, who calls it, what it guarantees"
      problems.push({ path: file.path, line: 1, rule: "header", message })
    }
    for (const cast of file.casts) {
      if (cast.explained) continue
      const message = "a cast (as) needs its reason in a comment beside it: why does it always hold?"
      problems.push({ path: file.path, line: cast.line, rule: "cast", message })
    }
  }
  return problems
}
