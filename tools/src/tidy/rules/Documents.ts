/**
 * Markdown: relative links and the source files it names exist, and each package's README has its parts.
 */
import { posix } from "node:path"
import type { Problem, Rule } from "../Problem.ts"
import type { Workspace } from "../Workspace.ts"

const link = /\]\(([^)\s]+)\)/g
const packageParts = ["Data path", "Guarantees", "Limits"]

/** Code fences and spans hold examples, not links. */
const withoutCode = (text: string) =>
  text
    .replace(/```[\s\S]*?```/g, (block) => block.replace(/[^\n]/g, " "))
    .replace(/`[^`\n]*`/g, (span) => " ".repeat(span.length))

const namedSource = /`(\w[\w./-]*\.ts)`/g

/** `core/src/Decimal.ts` may be written `core/Decimal.ts`, or by any end of either. */
const isEndOfPath = (workspace: Workspace, name: string): boolean => {
  for (const path of workspace.sources.keys()) {
    if (`/${path}`.endsWith(`/${name}`) || `/${path.replace("/src/", "/")}`.endsWith(`/${name}`)) return true
  }
  return false
}

export const documents: Rule = (workspace) => {
  const problems: Array<Problem> = []
  for (const [path, text] of workspace.texts) {
    if (!path.endsWith(".md")) continue
    for (const [index, line] of text.split("\n").entries()) {
      for (const [, name = ""] of line.matchAll(namedSource)) {
        if (isEndOfPath(workspace, name)) continue
        const message = `"${name}" is no source file: correct or remove the name`
        problems.push({ path, line: index + 1, rule: "link", message })
      }
    }
    for (const [index, line] of withoutCode(text).split("\n").entries()) {
      for (const [, target = ""] of line.matchAll(link)) {
        if (/^([a-z]+:|#)/.test(target)) continue
        const file = posix.join(posix.dirname(path), target.replace(/#.*$/, "")).replace(/\/$/, "")
        if (workspace.paths.has(file)) continue
        problems.push({
          path,
          line: index + 1,
          rule: "link",
          message: `"${target}" leads nowhere: correct or remove it`
        })
      }
    }
  }
  for (const { folder } of workspace.packages) {
    if (!folder.startsWith("packages/") || !workspace.paths.has(`${folder}/src`)) continue
    const path = `${folder}/README.md`
    const text = workspace.texts.get(path)
    const missing = packageParts.filter((part) => !text?.includes(`**${part}`))
    if (missing.length === 0) continue
    const message = `say three lines of purpose, then ${missing.map((part) => `**${part}**`).join(", ")}`
    problems.push({ path, line: 0, rule: "readme", message })
  }
  return problems
}
