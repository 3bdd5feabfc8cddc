/**
 * Words that may not stand in the repository: hidden time and chance, switched-off checks and tests, left-over notes,
 * paths of one machine.
 *
 * Code is searched without its comments and with strings, notes and paths everywhere.
 */
import type { Problem, Rule } from "../Problem.ts"

interface Forbidden {
  readonly pattern: RegExp
  /** Which files. */
  readonly where: RegExp
  /** Comments count too. */
  readonly comments: boolean
  readonly message: string
}

const anySource = /\.ts$/
const productSource = /^(packages|apps|lakehouse)\/.*\.ts$/
const productCode = /^(packages|apps)\/[^/]+\/src\/|^lakehouse\/src\//

/* The patterns are put together so that this file does not match itself. */
const forbidden: ReadonlyArray<Forbidden> = [
  {
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)/,
    where: productSource,
    comments: false,
    message: "time comes through Effect's Clock, or as a value"
  },
  {
    pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/,
    where: productCode,
    comments: false,
    message: "time comes through Effect's Clock (currentTimeNanos is monotonic)"
  },
  {
    pattern: /\bMath\.random\b|\bcrypto\.randomUUID\b/,
    where: productSource,
    comments: false,
    message: "chance comes through Effect's Random, or as a seed"
  },
  {
    pattern: /\bset(Timeout|Interval)\(/,
    where: productCode,
    comments: false,
    message: "waiting goes through Effect (sleep, Schedule), so that a test's clock rules it"
  },
  {
    pattern: /\bas any\b|[:<,|]\s*any\b(?=\s*[;,)>=|\]}]|$)/,
    where: anySource,
    comments: false,
    message: "no any: use unknown and narrow it, or a type parameter"
  },
  {
    pattern: new RegExp("@ts-" + "(ignore|nocheck)"),
    where: anySource,
    comments: true,
    message: "the compiler is not switched off: fix the type, or cast with a reason"
  },
  {
    pattern: new RegExp("@ts-" + "expect-error"),
    where: /^(?!.*(\/test\/|\.test-d\.ts$)).*\.ts$/,
    comments: true,
    message: "only tests of types expect compiler errors"
  },
  {
    pattern: /\b(it|test|describe|layer)(\.[a-z]+)*\.(skip|only|todo)\b/,
    where: anySource,
    comments: false,
    message: "a test runs or is removed (skipIf and runIf may ask for what is installed)"
  },
  {
    pattern: new RegExp("\\b(TO" + "DO|FIX" + "ME|XX" + "X|HA" + "CK)\\b"),
    where: /./,
    comments: true,
    message: "no left-over notes: do it, or describe the limit in the package's README"
  },
  {
    pattern: new RegExp("(^|[\\s\"'`(=:])/(wo" + "rk|tm" + "p|ho" + "me|ro" + "ot|Us" + "ers)/"),
    where: /./,
    comments: true,
    message: "a path of one machine: use the system's temporary folder, a relative path or an option"
  }
]

export const forbiddenText: Rule = (workspace) => {
  const problems: Array<Problem> = []
  for (const [path, text] of workspace.texts) {
    const rules = forbidden.filter((each) => each.where.test(path))
    if (rules.length === 0) continue
    const withComments = text.split("\n")
    const code = workspace.sources.get(path)?.code.split("\n") ?? withComments
    for (const { pattern, comments, message } of rules) {
      for (const [index, line] of (comments ? withComments : code).entries()) {
        const found = pattern.exec(line)
        if (found === null) continue
        problems.push({ path, line: index + 1, rule: "forbidden", message: `"${found[0].trim()}": ${message}` })
      }
    }
  }
  return problems
}
