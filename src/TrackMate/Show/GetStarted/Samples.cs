using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>Code samples for developers: the snippet, and the webhook call in three languages, with the company's id and this server's address.</summary>
internal static class Samples
{
    public static string Snippet(Company company, string url) => TrackMate.Show.Snippet.For(company.CompanyId, url);

    public static string Identify => "TrackMate.identify({ name: 'Sarah Johnson', email: 'sarah@example.com' });";

    /// <remarks>Each sample derives the eventId from the payment's own id, so a retry after a failure counts once.</remarks>
    public static string Curl(Company company, string url) => $$"""
        curl {{url}}/api/webhooks/events \
          --retry 5 --retry-connrefused \
          -H 'Content-Type: application/json' \
          -H "X-TrackMate-API-Key: $TRACKMATE_API_KEY" \
          -d '{
            "company_id": "{{company.CompanyId}}",
            "identifier": { "email": "sarah@example.com" },
            "eventType": "payment_processed",
            "eventData": { "orderId": "order-1", "amount": 79.99, "currency": "USD" },
            "eventId": "payment-order-1"
          }'
        """;

    /// <summary>The message by which a back end confirms that an e-mail and an external id are one customer.</summary>
    public static string Settle(string url) => $$"""
        curl {{url}}/api/webhooks/events \
          -H 'Content-Type: application/json' \
          -H "X-TrackMate-API-Key: $TRACKMATE_API_KEY" \
          -d '{ "identifier": { "email": "sarah@example.com", "externalId": "4711" }, "eventType": "logged_in" }'
        """;

    public static string CSharp(Company company, string url) => $$"""
        using System.Net.Http.Json;

        using var http = new HttpClient { BaseAddress = new("{{url}}"), Timeout = TimeSpan.FromSeconds(10) };
        http.DefaultRequestHeaders.Add("X-TrackMate-API-Key", Environment.GetEnvironmentVariable("TRACKMATE_API_KEY"));
        var payment = new
        {
            company_id = "{{company.CompanyId}}",
            identifier = new { email = "sarah@example.com" },
            eventType = "payment_processed",
            eventData = new { orderId = "order-1", amount = 79.99m, currency = "USD" },
            eventId = "payment-order-1", // Sent again, it counts once.
        };

        for (var attempt = 1; attempt <= 5; attempt++)
        {
            try
            {
                var answer = await http.PostAsJsonAsync("/api/webhooks/events", payment);
                if (answer.IsSuccessStatusCode) break;
                Console.Error.WriteLine($"TrackMate: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                if ((int)answer.StatusCode is < 500 and not 429) break; // A mistake in the message: sending it again does not help.
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                Console.Error.WriteLine($"TrackMate: {e.Message}"); // Your checkout goes on.
            }

            await Task.Delay(TimeSpan.FromSeconds(attempt));
        }
        """;

    public static string Node(Company company, string url) => $$"""
        const payment = {
          company_id: '{{company.CompanyId}}',
          identifier: { email: 'sarah@example.com' },
          eventType: 'payment_processed',
          eventData: { orderId: 'order-1', amount: 79.99, currency: 'USD' },
          eventId: 'payment-order-1', // Sent again, it counts once.
        };

        for (let attempt = 1; attempt <= 5; attempt++) {
          try {
            const answer = await fetch('{{url}}/api/webhooks/events', {
              method: 'POST',
              headers: {
                'Content-Type': 'application/json',
                'X-TrackMate-API-Key': process.env.TRACKMATE_API_KEY,
              },
              body: JSON.stringify(payment),
              signal: AbortSignal.timeout(10000),
            });
            if (answer.ok) break;
            console.error('TrackMate:', answer.status, await answer.text());
            if (answer.status < 500 && answer.status !== 429) break; // A mistake in the message: sending it again does not help.
          } catch (error) {
            console.error('TrackMate:', error.message); // Your checkout goes on.
          }
          await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
        }
        """;
}
