/** How long calls took, in buckets each a fifth wider than the one before: quantiles within a tenth, in a kilobyte. */
const buckets = 128
const widening = Math.log(1.2)
const leastMs = 0.05

export class Latencies {
  private readonly counts = new Float64Array(buckets)
  private total = 0

  add(ms: number): void {
    const bucket = ms <= leastMs ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / leastMs) / widening))
    this.counts[bucket]!++
    this.total++
  }

  /** The time that a share of the calls stayed within; undefined before the first call. */
  quantileMs(share: number): number | undefined {
    if (this.total === 0) return undefined
    let left = share * this.total
    const bucket = this.counts.findIndex((count) => (left -= count) <= 0)
    return leastMs * Math.exp(Math.max(0, bucket - 0.5) * widening)
  }
}
