using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace TrackMate.Tests.Running;

/// <summary>An answer as it came over the wire.</summary>
/// <param name="Text">Its body as it came.</param>
public sealed record Answer(HttpStatusCode Status, JsonNode? Body, HttpResponseMessage Response, string Text)
{
    public string? this[string name] => Body?[name]?.ToString();

    public static async Task<Answer> OfAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        return new(response.StatusCode, text.Length > 0 && text[0] is '{' or '[' ? JsonNode.Parse(text) : null, response, text);
    }

    /// <summary>Asserts that it is a refusal as the contract wants it: problem details with a sentence that helps.</summary>
    /// <param name="field">The wire name of the field to mend: the sentence says it, and <c>errors</c> has it.</param>
    public Answer AssertRefused(int status, string? field = null)
    {
        Assert.True((int)Status == status, $"{(int)Status} instead of {status}: {Text}");
        Assert.Equal("application/problem+json", Response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(status, (int)Body!["status"]!);
        Assert.False(string.IsNullOrWhiteSpace(this["type"]));
        Assert.False(string.IsNullOrWhiteSpace(this["title"]));
        AssertSentence(this["detail"]);
        if (field is null) return this;
        Assert.Contains(field, this["detail"]);
        Assert.True(Body["errors"]?[field] is JsonArray { Count: > 0 }, $"errors does not have {field}: {Text}");
        return this;
    }

    public Answer AssertOk()
    {
        Assert.True(Status is HttpStatusCode.OK, $"{(int)Status} instead of 200: {Text}");
        return this;
    }

    /// <summary>Asserts that a text is a sentence to a person, not the inside of the program.</summary>
    public static void AssertSentence(string? text)
    {
        Assert.NotNull(text);
        Assert.True(text.Length > 20 && !text.Contains("Exception", StringComparison.Ordinal) && !text.Contains("System.", StringComparison.Ordinal), $"Not a sentence that helps: {text}");
    }
}

/// <summary>A visitor's browser, as the SDK speaks for it: it knows only the public company_id and its session.</summary>
public sealed class Shopper(HttpClient http, string companyId, string? sessionId = null)
{
    public string SessionId { get; } = sessionId ?? $"session_{DateTimeOffset.UnixEpoch.ToUnixTimeSeconds()}_{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16))}";

    /// <summary>The browser's User-Agent header; none is sent without it.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The origin of the page that the shopper is on.</summary>
    public string? Origin { get; init; }

    /// <summary>What a proxy says of where the shopper is.</summary>
    public string? ForwardedFor { get; init; }

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

    /// <summary>Sends events in one request; the session and company are the shopper's.</summary>
    public async Task<Answer> TrackManyAsync(JsonArray events, string? sentAt = null) =>
        await SendAsync("/api/events", new JsonObject { ["company_id"] = companyId, ["sessionId"] = SessionId, ["sentAt"] = sentAt, ["events"] = events });

    public async Task<Answer> SendAsync(string path, JsonNode body) => await SendAsync(path, JsonContent.Create(body));

    /// <summary>Sends a body exactly as it stands.</summary>
    public async Task<Answer> SendAsync(string path, string json) => await SendAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    public async Task<Answer> SendAsync(string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        if (UserAgent is not null) request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (Origin is not null) request.Headers.Add("Origin", Origin);
        if (ForwardedFor is not null) request.Headers.Add("X-Forwarded-For", ForwardedFor);
        return await Answer.OfAsync(await http.SendAsync(request));
    }
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

    public async Task<Answer> PostAsync(string path, JsonNode body) => await PostAsync(path, JsonContent.Create(body));

    /// <summary>Posts a body exactly as it stands.</summary>
    public async Task<Answer> PostAsync(string path, string json) => await PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));

    public async Task<Answer> PostAsync(string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        request.Headers.Add("X-TrackMate-API-Key", apiKey);
        return await Answer.OfAsync(await http.SendAsync(request));
    }

    public async Task<Answer> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-TrackMate-API-Key", apiKey);
        return await Answer.OfAsync(await http.SendAsync(request));
    }

    public async Task<JsonNode> ProfileAsync(string profileId) => (await GetAsync($"/api/profiles/{profileId}")).Body!;

    /// <summary>A session's document, with the first page of its events.</summary>
    public async Task<Answer> SessionAsync(string sessionId) => await GetAsync("/api/sessions/" + Uri.EscapeDataString(sessionId));

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
