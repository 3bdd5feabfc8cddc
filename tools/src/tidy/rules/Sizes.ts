/**
 * Files of at most 600 lines, functions of at most 70.
 *
 * A function's lines are those with code on them, without the functions inside it: each of these counts for itself. A
 * factory may hold several closures, so it has a second bound with everything in it. Callbacks in tests are not counted.
 */
import type { Problem, Rule } from "../Problem.ts"

export const fileLinesMax = 600
export const functionLinesMax = 70
export const factoryLinesMax = 210

export const sizes: Rule = (workspace) => {
  const problems: Array<Problem> = []
  const report = (path: string, line: number, message: string) => problems.push({ path, line, rule: "size", message })
  for (const file of workspace.sources.values()) {
    const count = file.text.replace(/\n$/, "").split("\n").length
    if (count > fileLinesMax) {
      report(file.path, 0, `${count} lines, at most ${fileLinesMax}: one concept per file, so split it by concept`)
    }
    for (const each of file.functions) {
      if (each.callback && file.path.includes("/test/")) continue
      if (each.ownLines > functionLinesMax) {
        const message = `function ${each.name} has ${each.ownLines} lines of its own, at most ${functionLinesMax}: name a step of it and take it out`
        report(file.path, each.line, message)
      } else if (each.allLines > factoryLinesMax) {
        const message = `function ${each.name} has ${each.allLines} lines with those inside it, at most ${factoryLinesMax}: move some to the module's level`
        report(file.path, each.line, message)
      }
    }
  }
  return problems
}
