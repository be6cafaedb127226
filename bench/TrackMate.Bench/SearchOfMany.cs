using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace TrackMate.Bench;

/// <summary>What it takes to find people among many: typical queries, each with its median and 99th percentile.</summary>
internal static class SearchOfMany
{
    private const int Rounds = 100;

    private static readonly string[] First =
    [
        "Anna", "José", "Sarah", "Maria", "Łukasz", "Chloé", "Mohammed", "Wei", "Olga", "Liam", "Emma", "Noah", "Mia", "Lucas", "Zoë", "Ivan", "Priya", "Hiro", "Fatima", "Jan",
        "Elena", "Tom", "Nora", "Ali", "Ida", "Max", "Lea", "Ben", "Eva", "Leo", "Ana", "Paul", "Ines", "Karl", "Rosa", "Finn", "Lina", "Omar", "Vera", "Nils",
    ];

    private static readonly string[] Parts =
        ["son", "berg", "mann", "ov", "sky", "ez", "ini", "dal", "holm", "ford", "ton", "ley", "wood", "well", "stein", "er", "ström", "gaard", "vić", "escu"];

    private static readonly string[] Roots =
        ["John", "Ander", "Gold", "Silver", "Wal", "Hart", "Mar", "Pet", "Rod", "Fern", "Lind", "Stan", "Brad", "Whit", "Nor", "Kap", "Ros", "Schu", "Wein", "Dim", "Ior", "Pop", "Kov", "Hor", "Bal"];

    private static readonly string[] Domains = ["gmail.com", "gmail.com", "gmail.com", "outlook.com", "yahoo.com", "icloud.com", "example.org", "web.de", "proton.me", "company.co.uk"];

    /// <summary>Writes an export of so many people, for <c>trackmate import</c>: each with a name, an e-mail, an external id and an order.</summary>
    public static int Write(string file, int people)
    {
        using var lines = new StreamWriter(file);
        lines.WriteLine("""{"type":"company","format":"trackmate-export/1","company_id":"TM-BENCH","settings":{}}""");
        for (var i = 0; i < people; i++)
        {
            var (first, last) = NameOf(i);
            var email = EmailOf(i);
            var at = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + (i * 20L)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            lines.WriteLine($$"""{"type":"identify","origin":"browser","eventId":"i{{i}}","sessionId":"session_1_{{i}}","timestamp":"{{at}}","receivedAt":"{{at}}","index":0,"trust":"claimed","identifiers":[{"kind":"email","value":"{{email}}"}],"said":{"email":"{{email}}","name":"{{first}} {{last}}"} }""");
            lines.WriteLine($$"""{"type":"event","origin":"server","eventId":"w{{i}}","timestamp":"{{at}}","receivedAt":"{{at}}","index":0,"eventType":"order_shipped","identifiers":[{"kind":"email","value":"{{email}}"},{"kind":"externalId","value":"cust-{{i * 7919L % 10_000_019}}"}],"eventData":{"orderId":"ORD-{{i}}","trackingNumber":"1Z{{i * 104_729L % 1_000_000_007}}"} }""");
        }

        return 0;
    }

    public static async Task<int> Run(Uri server, string apiKey, int people)
    {
        using var sender = new Sender(server, apiKey);
        var started = Stopwatch.GetTimestamp();
        while ((await FindAsync(sender, "qqzzxx"))["nextCursor"] is not null) await Task.Delay(500);
        Console.WriteLine($"{people:#,0} people; the index was whole {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s after this began");
        var middle = people / 2;
        (string What, Func<int, string> Query)[] queries =
        [
            ("a whole e-mail", i => EmailOf(Some(i))),
            ("the beginning of an e-mail", i => EmailOf(Some(i))[..8]),
            ("first and last name", i => $"{NameOf(Some(i)).First} {NameOf(Some(i)).Last}"),
            ("last and first name, without accents", i => $"{NameOf(Some(i)).Last.Replace('ö', 'o').Replace('ć', 'c')} {NameOf(Some(i)).First[..3]}"),
            ("a name and a domain", i => $"{NameOf(Some(i)).Last} gmail"),
            ("digits in the middle of an external id", i => $"-{Some(i) * 7919L % 10_000_019}"[..5]),
            ("a name and an external id of one person", i => $"{NameOf(Some(i)).First} cust-{Some(i) * 7919L % 10_000_019}"),
            ("an order", i => $"ORD-{Some(i)}"),
            ("a tracking number", i => $"1Z{Some(i) * 104_729L % 1_000_000_007}"),
            ("a session", i => $"session_1_{Some(i)}"),
            ("an event", i => $"w{Some(i)}"),
            ("what everybody has", i => i % 2 == 0 ? "com" : "gmail"),
            ("two characters that many have", i => NameOf(Some(i)).First[..2]),
            ("two characters that nobody has", i => "qx"),
            ("what nobody has", i => "xqzvw" + i),
            ("parts that many have and nobody together", i => "gmailcust anna"),
        ];
        foreach (var (what, query) in queries)
        {
            var (times, found) = (new List<double>(), 0);
            for (var i = 0; i < Rounds; i++)
            {
                var asked = query(i);
                times.Add(await Sender.TimeAsync(async () => found += (await FindAsync(sender, asked))["profiles"]!.AsArray().Count));
            }

            Console.WriteLine($"  {what,-44} median {Sender.MedianOf(times),6:0.0} ms, p99 {times.Order().ElementAt(Rounds * 99 / 100),6:0.0} ms; found {(double)found / Rounds:0.0} a page, such as for “{query(7)}”");
        }

        return 0;

        int Some(int i) => (int)((middle + (i * 15_485_863L)) % people);
    }

    private static async Task<JsonNode> FindAsync(Sender sender, string query) => await sender.GetAsync("/api/profiles?limit=8&q=" + Uri.EscapeDataString(query));

    private static (string First, string Last) NameOf(int i) =>
        (First[i * 31L % First.Length], Roots[i / First.Length * 7L % Roots.Length] + Parts[i / 97 * 13L % Parts.Length]);

    private static string EmailOf(int i)
    {
        var (first, last) = NameOf(i);
        return $"{Plain(first)}.{Plain(last)}{i * 48_611L % 1_000_003}@{Domains[i * 17L % Domains.Length]}";
    }

    private static string Plain(string name) => new([.. name.ToLowerInvariant().Where(char.IsAsciiLetter)]);
}
