// The requests that the wall makes of the server.
import type { Address } from '../../app/address';
import type { Ask } from '../../app/api';

/** The report of now, which is followed. */
export function reportRequest(account: string, address: Address): Ask {
  return { path: `/operations/api/account/${encodeURIComponent(account)}/msgskillsegments?${query(address, address.interval)}` };
}

/** The report of an instant. Without intervals it is the figures alone. */
export function pastRequest(account: string, address: Address, at: number, interval: number | null): Ask {
  return { path: `/v1/accounts/${encodeURIComponent(account)}/report?at=${at}&${query(address, interval)}` };
}

export function nowRequest(account: string, address: Address): Ask {
  const skills = address.skillIds === 'all' ? '' : `?skillIds=${address.skillIds}`;
  return { path: `/v1/accounts/${encodeURIComponent(account)}/now${skills}` };
}

// Written as it is read best: no parameter of these needs to be encoded.
function query(address: Address, interval: number | null): string {
  const parameters = [`timeframe=${address.timeframe}`];
  if (interval !== null) parameters.push(`interval=${interval}`);
  if (address.skillIds !== 'all') parameters.push(`skillIds=${address.skillIds}`);
  if (address.userType !== 'all') parameters.push(`userType=${address.userType}`);
  return [...parameters, 'v=1'].join('&');
}
