// Which headers of a request nginx sets itself.

/**
 * What apps and their frameworks take for the word of a proxy. From anybody else it could be a lie, so it is passed on from trusted
 * ones alone.
 */
export const OF_PROXIES = [
  "Forwarded",
  "X-Forwarded-Port",
  "X-Forwarded-Scheme",
  "X-Forwarded-Ssl",
  "X-Forwarded-Server",
  "X-Url-Scheme",
  "Front-End-Https",
  "Client-IP",
  "X-Client-IP",
  "X-Cluster-Client-IP",
  "True-Client-IP",
  "CF-Connecting-IP",
  "Fastly-Client-IP",
];

/** What nginx tells an app of the request, whoever sent it. */
export const FORWARDED = [
  "X-Real-IP",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
  "X-Forwarded-Prefix",
] as const;

export const SET_BY_NGINX = ["Upgrade", "Connection", "Host", ...FORWARDED, ...OF_PROXIES];
