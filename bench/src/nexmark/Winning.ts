/** Which bids count for an auction: those from its opening to its end, both included. */
interface BidOnAuction {
  readonly date_time: number
  readonly expires: number
  readonly bid_date_time: number
}

export const isOpen = ({ bid_date_time, date_time, expires }: BidOnAuction): boolean =>
  bid_date_time >= date_time && bid_date_time <= expires
