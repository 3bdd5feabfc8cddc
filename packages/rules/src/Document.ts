/**
 * A rule document as a person wrote it, read: YAML, then the schema. Places of everything are kept for later problems.
 *
 * `Check.ts` takes what this returns. Whatever the text is, the answer is a document or problems; nothing throws, nothing
 * grows beyond the bounds of `Yaml.ts`.
 */
import { Result, Schema, SchemaIssue } from "effect"
import type { RuleProblem } from "./Problem.ts"
import { RuleDocument } from "./Rule.ts"
import { type Path, type Place, readYaml, type YamlText } from "./Yaml.ts"

/** A document that has the form of a rule; whether it makes sense is for `checkRule`. */
export interface ReadRule {
  readonly file: string
  readonly document: RuleDocument
  readonly placeOf: YamlText["placeOf"]
  readonly placeInText: YamlText["placeInText"]
}

const decode = Schema.decodeUnknownResult(RuleDocument, { errors: "all", onExcessProperty: "error" })
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const known = /^[A-Za-z0-9_-]{1,64}$/
const nameOf = (path: Path) =>
  path.map((each) => (typeof each === "number" ? each + 1 : known.test(String(each)) ? String(each) : "…")).join(".")

const messageOf = (path: Path, message: string): string => {
  const name = nameOf(path)
  if (message === "Missing key") return `"${name}" is missing`
  if (message === "Expected no excess property") return `"${name}" is no part of a rule, or has no such name`
  const said = message.charAt(0).toLowerCase() + message.slice(1)
  return path.length === 0 ? `a rule is a map of names and values: ${said}` : `${name}: ${said}`
}

/** Reads a document's text. Fails with every problem of its form. */
export const readRule = (file: string, text: string): Result.Result<ReadRule, ReadonlyArray<RuleProblem>> => {
  const yaml = readYaml(file, text)
  if (Result.isFailure(yaml)) return Result.fail(yaml.failure)
  const { placeInText, placeOf, placeOfName, value } = yaml.success
  const document = decode(value)
  if (Result.isSuccess(document)) return Result.succeed({ file, document: document.success, placeOf, placeInText })
  return Result.fail(
    issuesOf(document.failure.issue).issues.map(({ message, path = [] }) => {
      // paths of issues hold names and indexes
      const names = path.map((each) => (typeof each === "object" ? each.key : each))
      const place: Place = message === "Expected no excess property" ? placeOfName(names) : placeOf(names)
      return { file, ...place, message: messageOf(names, message) }
    })
  )
}
