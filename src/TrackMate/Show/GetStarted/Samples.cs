using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>What a developer pastes: the snippet, and the webhook call in three languages, with the company's own id and this server's address.</summary>
internal static class Samples
{
    public static string Snippet(Company company, string url) => TrackMate.Show.Snippet.For(company.CompanyId, url);

    public static string Identify => "TrackMate.identify({ name: 'Sarah Johnson', email: 'sarah@example.com' });";

    public static string Curl(Company company, string url) => $$"""
        curl {{url}}/api/webhooks/events \
          -H 'Content-Type: application/json' \
          -H "X-TrackMate-API-Key: $TRACKMATE_API_KEY" \
          -d '{
            "company_id": "{{company.CompanyId}}",
            "identifier": { "email": "sarah@example.com" },
            "eventType": "payment_processed",
            "eventData": { "orderId": "order-1", "amount": 79.99, "currency": "USD" }
          }'
        """;

    public static string CSharp(Company company, string url) => $$"""
        using System.Net.Http.Json;

        using var http = new HttpClient { BaseAddress = new("{{url}}") };
        http.DefaultRequestHeaders.Add("X-TrackMate-API-Key", Environment.GetEnvironmentVariable("TRACKMATE_API_KEY"));

        var answer = await http.PostAsJsonAsync("/api/webhooks/events", new
        {
            company_id = "{{company.CompanyId}}",
            identifier = new { email = "sarah@example.com" },
            eventType = "payment_processed",
            eventData = new { orderId = "order-1", amount = 79.99m, currency = "USD" },
        });
        answer.EnsureSuccessStatusCode();
        """;

    public static string Node(Company company, string url) => $$"""
        const answer = await fetch('{{url}}/api/webhooks/events', {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'X-TrackMate-API-Key': process.env.TRACKMATE_API_KEY,
          },
          body: JSON.stringify({
            company_id: '{{company.CompanyId}}',
            identifier: { email: 'sarah@example.com' },
            eventType: 'payment_processed',
            eventData: { orderId: 'order-1', amount: 79.99, currency: 'USD' },
          }),
        });
        if (!answer.ok) throw new Error(await answer.text());
        """;
}
