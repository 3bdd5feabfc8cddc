/**
 * Rule documents from files: the only part of the package that reads anything.
 *
 * Apps call it before they start something; what it gives is the same for the same files. **Bounds**: files in a directory
 * and their length; a longer one is read no further than what refuses it.
 */
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Result, Schema } from "effect"
import type { RuleTopic } from "./CheckedRule.ts"
import { formatProblems } from "./Problem.ts"
import { makeRuleSet, type RuleSet, type RuleText } from "./RuleSet.ts"

const filesMax = 2_000
const fileBytesMax = 262_144

/** Rules that cannot be used; the report lists every problem. Nothing to retry: files must change. */
class RulesRefused extends Schema.TaggedError<RulesRefused>()("RulesRefused", {
  message: Schema.String,
  /** A problem a line, each with file, line and column. */
  report: Schema.optionalKey(Schema.String)
}) {}

const refused = (message: string) => new RulesRefused({ message })

const readText = (file: string) =>
  Effect.tryPromise({
    try: async (): Promise<RuleText> => {
      const { size } = await stat(file)
      if (size > fileBytesMax) throw new RangeError(`it has ${size} bytes, at most ${fileBytesMax}`)
      return { file, text: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file)) }
    },
    catch: (error) => refused(`rules: ${file} cannot be read: ${reasonOf(error)}`)
  })

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return "it is no file"
  if ("code" in error && error.code === "ENOENT") return "there is no such file"
  if ("code" in error && error.code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "it is no UTF-8 text"
  return error.message
}

/** The texts of a file, or of every `.yaml` of a directory, by name. */
const readTexts = Effect.fnUntraced(function* (path: string) {
  const names = yield* Effect.tryPromise({
    try: async () => ((await stat(path)).isDirectory() ? await readdir(path) : undefined),
    catch: (error) => refused(`rules: ${path} cannot be read: ${reasonOf(error)}`)
  })
  if (names === undefined) return [yield* readText(path)]
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort()
  if (files.length > filesMax) {
    return yield* refused(`rules: ${path} holds ${files.length} rules, at most ${filesMax}`)
  }
  return yield* Effect.forEach(files, (name) => readText(join(path, name)))
})

/** The rules of a directory or a file. Fails with one report of everything that is wrong. */
export const loadRules = Effect.fnUntraced(function* (
  path: string,
  topics: ReadonlyArray<RuleTopic>,
  options?: { readonly tests?: boolean }
): Effect.fn.Return<RuleSet, RulesRefused> {
  const texts = yield* readTexts(path)
  const set = makeRuleSet(texts, topics, options)
  if (Result.isSuccess(set)) return set.success
  const count = set.failure.length
  return yield* new RulesRefused({
    message: `the rules in ${path} cannot be used: ${count} ${count === 1 ? "problem" : "problems"}`,
    report: formatProblems(set.failure)
  })
})
