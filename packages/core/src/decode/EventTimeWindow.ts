/**
 * Which event times are believable: from 2000 up to 2090. A record outside did not decode (contracts).
 *
 * Both decode paths check it, each row by row.
 */

/** 2000-01-01T00:00:00Z. */
export const eventTimeStartMs = 946_684_800_000
/** 2090-01-01T00:00:00Z: the first time that is refused. */
export const eventTimeEndMs = 3_786_912_000_000
