using System.Globalization;

namespace TrackMate.Bench;

/// <summary>Writes an export of one company's webhooks: half of one customer, who is told of every ten seconds with a pause now and then, half of three thousand, of whom each also has sessions that claim them.</summary>
internal static class ManyWebhooks
{
    private const int Customers = 3000;

    public static int Write(string file, int webhooks)
    {
        using var lines = new StreamWriter(file);
        lines.WriteLine("""{"type":"company","format":"trackmate-export/1","company_id":"TM-BENCH","settings":{}}""");
        for (var i = 0; i < webhooks; i++)
        {
            var half = i / 2;
            var (email, second) = i % 2 == 0 ? ("robot@shop.example", (half * 10L) + (half / 50 * 900L)) : ($"customer{half % Customers}@shop.example", half * 7L);
            var at = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000 + second).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
            var (type, data) = i % 5 == 0 ? ("payment_processed", $$"""{"amount":9.5,"currency":"EUR","paymentId":"P-{{i}}"}""") : ("order_shipped", $$"""{"orderId":"ORD-{{i}}","amount":1}""");
            var other = i % 2 == 1 ? $$""",{"kind":"externalId","value":"cust-{{half % Customers}}"}""" : "";
            lines.WriteLine($$"""{"type":"event","origin":"server","eventId":"w{{i}}","timestamp":"{{at}}","receivedAt":"{{at}}","index":0,"eventType":"{{type}}","identifiers":[{"kind":"email","value":"{{email}}"}{{other}}],"eventData":{{data}} }""");
            if (i % 20 == 1)
                lines.WriteLine($$"""{"type":"identify","origin":"browser","eventId":"i{{i}}","sessionId":"session_1_{{i}}","timestamp":"{{at}}","receivedAt":"{{at}}","index":0,"trust":"claimed","identifiers":[{"kind":"email","value":"{{email}}"}],"said":{"email":"{{email}}"} }""");
        }

        return 0;
    }
}
