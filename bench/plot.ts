import { percentile } from "../tests/support/latencies";
import { spread, type Figures, type Spread, type Turn } from "./figures";

// Charts of horizontal bars below each other, drawn by hand: a library would be larger than all of this.

const WIDTH = 800;
const NAMES = 230;
const BAR = 14;
const ROW = 22;
const HEAD = 34;
/** What is left for bars, and for the figure behind the longest one. */
const BARS = WIDTH - NAMES - 90;

interface Series {
  title: string;
  color: string;
  value: (turn: Turn) => number | undefined;
}

const CHARTS: { title: string; series: Series[] }[] = [
  {
    title: "Requests per second (more is better)",
    series: [
      { title: "kept connections", color: "#3b6fb5", value: ({ loads }) => loads.kept?.perSecond },
      { title: "new connections", color: "#9db9dd", value: ({ loads }) => loads.fresh?.perSecond },
    ],
  },
  {
    title: "The same over HTTPS, on kept connections",
    series: [
      { title: "HTTP/1.1", color: "#6a51a3", value: ({ loads }) => loads.tlsKept?.perSecond },
      { title: "HTTP/2", color: "#bcb0d8", value: ({ loads }) => loads.h2Kept?.perSecond },
    ],
  },
  {
    title: "p99 in ms at the same moderate load (less is better)",
    series: [
      { title: "steady", color: "#7aa874", value: ({ flips }) => flips && percentile(flips.steady, 0.99) },
      {
        title: "during flips",
        color: "#c9803b",
        value: ({ flips }) => flips && percentile(flips.during, 0.99),
      },
    ],
  },
  {
    title: "Failed requests in 100 flips (less is better)",
    series: [
      {
        title: "no answer, or not 2xx",
        color: "#b5423b",
        value: ({ flips }) => flips && (100 * flips.failed) / flips.flips,
      },
    ],
  },
  {
    title: "ms from the command to the first answer of the new color (less is better)",
    series: [
      {
        title: "median of the flips",
        color: "#7d5ba6",
        value: ({ flips }) => flips && spread(flips.firstAnswers).median,
      },
    ],
  },
];

/** The bars are medians of the rounds, the thin lines lowest and highest. */
export function plot({ turns, date, machine }: Figures): string {
  let y = 30;
  const body = CHARTS.map((chart) => {
    const rows = [...turns].flatMap(([name, rounds]) => {
      const bars = chart.series.map(({ value }) => rounds.flatMap((turn) => value(turn) ?? []));
      return bars.some((values) => values.length > 0)
        ? [{ name, bars: bars.map((values) => spread(values)) }]
        : [];
    });
    const longest = Math.max(...rows.flatMap(({ bars }) => bars.map(({ max }) => max)), 1e-9);
    const top = y;
    const parts = [
      text(10, top + 16, chart.title, "bold"),
      ...legend(chart.series, top + 16),
      ...rows.map(({ name, bars }, i) => {
        const at = top + HEAD + i * (ROW + (bars.length - 1) * BAR);
        return [
          text(NAMES - 8, at + (bars.length * BAR) / 2 + 4, name, "name"),
          ...bars.map((bar, k) => drawBar(bar, at + k * BAR, BARS / longest, chart.series[k].color)),
        ].join("\n");
      }),
    ];
    y = top + HEAD + rows.length * (ROW + (chart.series.length - 1) * BAR) + 20;
    return parts.join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="12">
<style>.bold { font-weight: bold } .name { text-anchor: end }</style>
<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>
${text(10, 18, `${date.toISOString().slice(0, 10)}, ${machine.split(",")[0]}`, "")}
${body.join("\n")}
</svg>
`;
}

function legend(series: Series[], y: number): string[] {
  return series.map(({ title, color }, i) => {
    const x = WIDTH - 150 * (series.length - i);
    return `<rect x="${x}" y="${y - 10}" width="10" height="10" fill="${color}"/>${text(x + 15, y, title, "")}`;
  });
}

function drawBar({ median, min, max }: Spread, y: number, scale: number, color: string): string {
  const [end, low, high] = [median, min, max].map((value) => round(NAMES + value * scale));
  const middle = y + BAR / 2;
  return [
    `<rect x="${NAMES}" y="${y + 1}" width="${round(end - NAMES)}" height="${BAR - 2}" fill="${color}"/>`,
    `<path d="M${low} ${middle}H${high}M${low} ${middle - 3}v6M${high} ${middle - 3}v6" stroke="#222222"/>`,
    text(Math.max(end, high) + 5, middle + 4, figure(median), ""),
  ].join("\n");
}

const figure = (value: number) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
const round = (value: number) => Math.round(value * 10) / 10;

function text(x: number, y: number, content: string, kind: string): string {
  const safe = content.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  return `<text x="${x}" y="${y}"${kind === "" ? "" : ` class="${kind}"`} fill="#222222">${safe}</text>`;
}
