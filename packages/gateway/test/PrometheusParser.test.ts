/** The reader that judges `/metrics` refuses what Prometheus refuses: it would be no witness otherwise. */
import { assert, describe, it } from "@effect/vitest"
import { parsePrometheus } from "./PrometheusParser.ts"

const head = "# HELP a_total What it counts\n# TYPE a_total counter\n"
const histogram = "# HELP h_seconds How long\n# TYPE h_seconds histogram\n"

describe("the strict reader", () => {
  it("takes counters, labels with escapes, and histograms that add up", () => {
    const text = `${head}a_total{job="x\\"y"} 1\na_total{job="z"} 2e3\n${histogram}h_seconds_bucket{le="0.5"} 1\nh_seconds_bucket{le="+Inf"} 2\nh_seconds_sum 3.5\nh_seconds_count 2\n`
    const families = parsePrometheus(text)
    assert.deepStrictEqual([...families.keys()], ["a_total", "h_seconds"])
    assert.strictEqual(families.get("a_total")?.samples[1]?.value, 2000)
  })

  const refused: Readonly<Record<string, string>> = {
    "a line that does not end": `${head}a_total 1`,
    "a sample without a head": "a_total 1\n",
    "a name without samples": head,
    "a counter without its ending": "# HELP a Counts\n# TYPE a counter\na 1\n",
    "a series twice": `${head}a_total{job="x"} 1\na_total{job="x"} 2\n`,
    "a label without quotes": `${head}a_total{job=x} 1\n`,
    "a value that is no number": `${head}a_total one\n`,
    "a family in two places": `${head}a_total 1\n${head}a_total{job="x"} 1\n`,
    "a sample of another name": `${head}b_total 1\n`,
    "a histogram without the bucket of all": `${histogram}h_seconds_bucket{le="0.5"} 1\nh_seconds_sum 3\nh_seconds_count 1\n`,
    "a histogram that shrinks": `${histogram}h_seconds_bucket{le="0.5"} 3\nh_seconds_bucket{le="+Inf"} 2\nh_seconds_sum 3\nh_seconds_count 2\n`
  }
  for (const [what, text] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.throws(() => parsePrometheus(text)))
  }
})
