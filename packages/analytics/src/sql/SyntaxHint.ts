/** What to do about a text that does not parse: the word that may have been meant, or where to look. Pure. */
import { nearestName } from "./NearestName.ts"

const words = "SELECT FROM WHERE GROUP ORDER HAVING LIMIT UNION JOIN DISTINCT BETWEEN WITH VALUES QUALIFY OFFSET".split(
  " "
)

/** `message` is the parser's. */
export const syntaxHint = (message: string): string => {
  if (/only select/i.test(message)) return "exactly one SELECT statement is run; the lake is changed by pipelines"
  const found = /at or near "(\w+)"/.exec(message)?.[1]
  const near = found === undefined ? undefined : nearestName(found, words)
  return near === undefined || near === found?.toUpperCase()
    ? "look at this place and just before it: a query is one SELECT, its tables are namespace.table"
    : `did you mean ${near}?`
}
