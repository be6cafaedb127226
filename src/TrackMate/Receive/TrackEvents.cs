using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary><c>POST /api/events</c>: a browser's events, one or many. parse → bind → append → answer.</summary>
internal sealed class TrackEvents(Intake intake)
{
    /// <summary>The path, and its alias with a neutral name for a path of the shop's own site.</summary>
    public static readonly string[] Paths = ["/api/events", "/t/events"];

    /// <summary>By far the most frequent answer.</summary>
    private static readonly byte[] OneAccepted = JsonSerializer.SerializeToUtf8Bytes(new(1, 0), Wire.Json.EventsAnswer);

    public static void Map(WebApplication app)
    {
        var call = app.Services.GetRequiredService<TrackEvents>();
        app.MapPublic(HttpMethods.Post, Paths, call.Handle).Describe(new("trackEvents", CallGroup.Send, "Send a browser's events",
            "One event or a batch of at most 500, 1 MiB and 32 KiB each. In a batch a bad event refuses itself only. An eventId sent again is a duplicate and changes nothing. The answer comes after the commit. POST /t/events is the same call.",
            typeof(EventsAnswer), """{"accepted":1,"duplicates":0}""")
        {
            Bodies = [typeof(BrowserEventBody), typeof(BrowserEventsBody)],
            BodyExample = """{"company_id":"TM-SHOP99","sessionId":"session_1729260000_abc123","eventType":"page_view","eventData":{"address":"https://shop.com/homepage"},"timestamp":"2025-10-18T10:00:00Z","eventId":"0199f6a5-0000-7000-8000-000000000001"}""",
            Problems = [400, 401, 403, 408, 413, 415, 422, 429, 503],
        });
    }

    public Task Handle(HttpContext http)
    {
        intake.LimitAddress(http);
        intake.RequireRoom();
        return intake.Run(http, ReceivingCall.Events, Track);
    }

    /// <summary>Reads one event or a batch.</summary>
    /// <exception cref="RejectionException">The single one, or what a batch says for all of its events, breaks a rule.</exception>
    public static Taken Read(WireObject wire, Company company, Arrival arrival)
    {
        var envelope = new Envelope(
            company, Origin.Browser, arrival.ReceivedAt, wire.Time(Member.SentAt) + arrival.Delay, MessageReader.SessionIdOf(wire, company),
            wire.Has(Member.Events) ? wire.Object(Member.Context) : default, arrival.Agent);
        return wire.Has(Member.Events) ? ReadBatch(wire, envelope) : new(Single(wire, envelope));
    }

    private async Task Track(HttpContext http, RequestBody body)
    {
        using var turn = await intake.TurnAsync(body, sender: null);
        var (wire, company, arrival, taken) = Read(http, body);
        turn?.EndParsing();

        var refusals = taken.Refusals;
        var rejected = refusals.Count == 0
            ? null
            : new RejectionRecord(company, Origin.Browser, ReceivingCall.Events, arrival.ReceivedAt, [.. refusals.Select(refusal => refusal.ToKeep())]) { Agent = arrival.Agent, Envelope = Batches.EnvelopeOf(wire) };
        var receipts = await intake.AppendAsync(taken.Messages, rejected);
        // Whoever is slow to take the answer keeps no place.
        turn?.Dispose();
        var duplicates = receipts.Count(receipt => receipt.Duplicate);
        await (receipts.Length == 1 && duplicates == 0 && refusals.Count == 0 ? JsonAnswer.WriteAsync(http, OneAccepted) : JsonAnswer.WriteAsync(http, AnswerOf(receipts.Length - duplicates, duplicates, refusals), Wire.Json.EventsAnswer));
    }

    private (WireObject Wire, Company Company, Arrival Arrival, Taken Taken) Read(HttpContext http, RequestBody body)
    {
        var (wire, company) = intake.ReadPublic(http, body);
        var arrival = new Arrival(intake.Now(), UserAgent.Parse(http.Request.Headers.UserAgent));
        intake.LimitCompany(company, Origin.Browser, arrival.ReceivedAt);
        try
        {
            return (wire, company, arrival, Read(wire, company, arrival));
        }
        catch (RejectionException refused)
        {
            throw new AttributedRejection(company, refused, Batches.EventIdOf(wire));
        }
    }

    private static EventsAnswer AnswerOf(int accepted, int duplicates, List<BatchRejection> refusals) => new(
        accepted,
        duplicates,
        refusals.Count == 0 ? null : [.. refusals.Select(refusal => new RejectedAnswer(refusal.Index, refusal.EventId, refusal.Rejection.Status, refusal.Rejection.Message))]);

    private static TrackedEvent Single(WireObject wire, Envelope envelope)
    {
        if (wire.Json.Length > Batches.MaxEventBytes) throw Batches.TooLarge("The event");
        return MessageReader.Event(wire, envelope, index: 0, named: [], envelope.SessionId);
    }

    private static Taken ReadBatch(WireObject wire, Envelope envelope)
    {
        var taken = new Taken();
        foreach (var (index, json) in wire.Array(Member.Events, Batches.MaxEvents).Index())
        {
            string? eventId = null;
            try
            {
                var item = Batches.Read(json, index);
                eventId = Batches.EventIdOf(item);
                taken.Messages.Add(MessageReader.Event(item, envelope, index, named: [], envelope.SessionId));
            }
            catch (RejectionException refused)
            {
                EdgeMetrics.Refused(RejectionException.NameOf(refused.Reason));
                taken.Refusals.Add(new(index, eventId, refused, json));
            }
        }

        return taken;
    }
}

// Nobody makes these records: a message is read in one pass over its bytes (Http/WireObject.cs). They are the schema of the body, and a test holds that the fields here are those that are read.

/// <summary>One event of a browser.</summary>
internal sealed record BrowserEventBody(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    string EventType,
    JsonObject? EventData = null,
    DateTimeOffset? Timestamp = null,
    string? EventId = null,
    DateTimeOffset? SentAt = null,
    JsonObject? Context = null) : IRequestBody;

/// <summary>Many events of one browser session, at most 500.</summary>
internal sealed record BrowserEventsBody(
    [property: JsonPropertyName("company_id")] string CompanyId,
    string SessionId,
    IReadOnlyList<BrowserEventItem> Events,
    DateTimeOffset? SentAt = null,
    JsonObject? Context = null) : IRequestBody;

/// <summary>One event of a batch.</summary>
internal sealed record BrowserEventItem(string EventType, JsonObject? EventData = null, DateTimeOffset? Timestamp = null, string? EventId = null, JsonObject? Context = null) : IRequestBody;
