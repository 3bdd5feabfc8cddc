/**
 * Message templates: text with `{name}` for a value, `{{` and `}}` for braces.
 *
 * `Check.ts` parses them once, `Trace.ts` fills them in. Values are put in as they are and never read again: braces in a
 * record's text stay braces. Control characters, which could forge lines of a log, become spaces.
 */
import { Result } from "effect"

export type TemplatePart =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Value"; readonly name: string; readonly offset: number }

export type Template = ReadonlyArray<TemplatePart>

/** Longer messages are cut. */
const messageCharactersMax = 4_000

const part = /\{\{|\}\}|\{([A-Za-z][A-Za-z0-9_]{0,127})\}|[{}]|[^{}]+/g

/** Reads a template. Fails with the offset of a brace that stands alone. */
export const parseTemplate = (source: string): Result.Result<Template, { offset: number; message: string }> => {
  const parts: Array<TemplatePart> = []
  for (const match of source.matchAll(part)) {
    const [text, name] = match
    if (name !== undefined) parts.push({ _tag: "Value", name, offset: match.index })
    else if (text === "{" || text === "}") {
      const message = `a single ${text}: write {name} for a value, ${text}${text} for the brace itself`
      return Result.fail({ offset: match.index, message })
    } else parts.push({ _tag: "Text", text: text === "{{" ? "{" : text === "}}" ? "}" : text })
  }
  return Result.succeed(parts)
}

// oxlint-disable-next-line no-control-regex -- these are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** The message; `valueOf` gives a value as text. */
export const fillTemplate = (template: Template, valueOf: (name: string) => string): string => {
  const text = template.map((each) => (each._tag === "Text" ? each.text : valueOf(each.name))).join("")
  const clean = text.replace(control, " ")
  return clean.length > messageCharactersMax ? `${clean.slice(0, messageCharactersMax).toWellFormed()}…` : clean
}
