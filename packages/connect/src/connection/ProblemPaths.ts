/**
 * Where a declaration is wrong, for a person: paths of fields and nothing of their values, since a value may be a secret that
 * somebody wrote where its place belongs.
 */
import { SchemaIssue } from "effect"

const pathsMax = 5

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "MissingKey" ? "is missing" : "is not as it must be")
})

/** ` (look at auth.bearer, pool)`, or nothing when no path is known. */
export const problemPaths = (issue: SchemaIssue.Issue): string => {
  const { issues } = formatIssue(issue)
  const paths = [...new Set(issues.map((each) => (each.path ?? []).map(String).join(".")))].filter(
    (each) => each !== ""
  )
  return paths.length === 0 ? "" : ` (look at ${paths.slice(0, pathsMax).join(", ")})`
}
