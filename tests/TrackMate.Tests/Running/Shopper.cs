using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace TrackMate.Tests.Running;

/// <summary>An answer as it came over the wire.</summary>
public sealed record Answer(HttpStatusCode Status, JsonNode? Body, HttpResponseMessage Response)
{
    public string? this[string name] => Body?[name]?.ToString();

    public static async Task<Answer> OfAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        return new(response.StatusCode, text.Length > 0 && text[0] is '{' or '[' ? JsonNode.Parse(text) : null, response);
    }
}

/// <summary>A visitor's browser, as the SDK speaks for it: it knows only the public company_id and its session.</summary>
public sealed class Shopper(HttpClient http, string companyId, string? sessionId = null)
{
    public string SessionId { get; } = sessionId ?? $"session_{DateTimeOffset.UnixEpoch.ToUnixTimeSeconds()}_{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16))}";

    public async Task<Answer> TrackAsync(string eventType, object? eventData = null, string? at = null, string? eventId = null) =>
        await SendAsync("/api/events", new JsonObject
        {
            ["company_id"] = companyId,
            ["sessionId"] = SessionId,
            ["eventType"] = eventType,
            ["eventData"] = eventData is null ? null : System.Text.Json.JsonSerializer.SerializeToNode(eventData),
            ["timestamp"] = at,
            ["eventId"] = eventId,
        });

    public async Task<Answer> IdentifyAsync(string? email = null, string? name = null, string? externalId = null, string? at = null, string? eventId = null) =>
        await SendAsync("/api/profile", new JsonObject
        {
            ["company_id"] = companyId,
            ["sessionId"] = SessionId,
            ["email"] = email,
            ["externalId"] = externalId,
            ["name"] = name,
            ["timestamp"] = at,
            ["eventId"] = eventId,
        });

    public async Task<Answer> SendAsync(string path, JsonNode body) => await Answer.OfAsync(await http.PostAsJsonAsync(path, body));
}

/// <summary>The shop's back end: it holds the API key, sends webhooks and reads.</summary>
public sealed class ShopBackend(HttpClient http, string apiKey)
{
    public async Task<Answer> WebhookAsync(
        string eventType, object? eventData = null, string? email = null, string? sessionId = null, string? userId = null, string? externalId = null, string? at = null, string? eventId = null) =>
        await PostAsync("/api/webhooks/events", new JsonObject
        {
            ["identifier"] = new JsonObject { ["email"] = email, ["sessionId"] = sessionId, ["userId"] = userId, ["externalId"] = externalId },
            ["eventType"] = eventType,
            ["eventData"] = eventData is null ? null : System.Text.Json.JsonSerializer.SerializeToNode(eventData),
            ["timestamp"] = at,
            ["eventId"] = eventId,
        });

    public async Task<Answer> PostAsync(string path, JsonNode body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("X-TrackMate-API-Key", apiKey);
        return await Answer.OfAsync(await http.SendAsync(request));
    }

    public async Task<Answer> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-TrackMate-API-Key", apiKey);
        return await Answer.OfAsync(await http.SendAsync(request));
    }

    /// <summary>The profile of an e-mail, or null.</summary>
    public async Task<JsonNode?> ProfileOfAsync(string email) =>
        (await GetAsync($"/api/profiles?email={Uri.EscapeDataString(email)}")).Body!["profiles"]!.AsArray().FirstOrDefault();

    /// <summary>A whole timeline, oldest first.</summary>
    public async Task<IReadOnlyList<JsonNode>> TimelineAsync(string profileId, int limit = 50)
    {
        var events = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = (await GetAsync($"/api/profiles/{profileId}/timeline?limit={limit}" + (cursor is null ? "" : $"&cursor={cursor}"))).Body!;
            events.AddRange(page["events"]!.AsArray().Select(found => found!));
            cursor = page["nextCursor"]?.ToString();
        }
        while (cursor is not null);

        events.Reverse();
        return events;
    }
}
