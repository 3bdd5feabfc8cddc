/** What a table says of itself and is not so, as people and programs read it. Pure. */
import { type FactProblem, type FactsReport, isRepairable } from "@frazil/lake"
import { Units } from "@frazil/platform"

const problemLine = (problem: FactProblem): string =>
  `${problem.kind}: ${problem.where}: ${problem.message}${isRepairable(problem) ? "" : " (not repaired by --repair)"}`

export const factsVerdict = ({ files, manifests, problems, table }: FactsReport): string => {
  const counted = `${Units.plural(files, "file")} in ${Units.plural(manifests, "manifest")}`
  if (problems.length === 0) return `${table} is what it says of itself: ${counted}`
  const repairable = problems.filter(isRepairable).length
  return `${table} is not what it says of itself: ${Units.plural(problems.length, "wrong fact")}, ${Units.count(repairable)} of them can be repaired (${counted})`
}

export const factsLines = (report: FactsReport): ReadonlyArray<string> => [
  ...report.problems.map(problemLine),
  factsVerdict(report)
]

export const repairLines = (repaired: ReadonlyArray<FactProblem>, dryRun: boolean): ReadonlyArray<string> =>
  repaired.map(({ kind, where }) => `${dryRun ? "would repair" : "repaired"} ${kind}: ${where}`)

const problemJson = (problem: FactProblem) => ({
  kind: problem.kind,
  where: problem.where,
  message: problem.message,
  repairable: isRepairable(problem)
})

export const factsJson = ({ files, manifests, problems }: FactsReport, repaired: ReadonlyArray<FactProblem>) => ({
  files,
  manifests,
  problems: problems.map(problemJson),
  repaired: repaired.map(problemJson)
})
