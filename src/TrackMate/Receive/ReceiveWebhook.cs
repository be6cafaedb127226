using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary><c>POST /api/webhooks/events</c>: a back end's events, one or many, for whomever they name.</summary>
internal sealed class ReceiveWebhook(Intake intake)
{
    public static void Map(WebApplication app)
    {
        var call = app.Services.GetRequiredService<ReceiveWebhook>();
        app.MapPost("/api/webhooks/events", call.Handle).ShortCircuit().Describe(new("receiveWebhook", CallGroup.Send, "Send a back end's events",
            "One event or a batch of at most 500, for whomever the identifier names: userId, else email, else externalId, else sessionId. profileId is null while the session is nobody's. A batch is answered by one result each, in order, an answer or a problem.",
            typeof(WebhookAnswer), """{"profileId":"671234567890abcdef123456","sessionId":"webhook_1760782320_8c1f0a7be2d94356","eventId":"evt_5","duplicate":false}""")
        {
            Bodies = [typeof(WebhookBody), typeof(WebhooksBody)],
            BodyExample = """{"identifier":{"email":"sarah@example.com"},"eventType":"payment_processed","eventData":{"orderId":"ch_abc123stripe","amount":79.99,"currency":"USD"},"timestamp":"2025-10-18T10:12:00Z","eventId":"evt_5"}""",
            BatchAnswer = typeof(WebhookBatchAnswer),
            Problems = [400, 401, 403, 408, 413, 415, 422, 429, 503],
            Scope = Scopes.Write,
        });
    }

    public Task Handle(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, intake.Registry);
        return intake.Run(http, ReceivingCall.Webhooks, (_, body) => Receive(http, company, body), company);
    }

    /// <summary>Reads one event or a batch.</summary>
    /// <exception cref="RejectionException">The single one, or what a batch says for all of its events, breaks a rule.</exception>
    public static Taken Read(WireObject wire, Company company, Arrival arrival)
    {
        CheckCompany(wire, company);
        var envelope = new Envelope(company, Origin.Server, arrival.ReceivedAt, SentAt: null, SessionId: null, default, Agent: null);
        if (wire.Has(Member.Events)) return ReadBatch(wire, envelope);
        if (wire.Json.Length > Batches.MaxEventBytes) throw Batches.TooLarge("The event");
        return new(Read(wire, envelope, index: 0, FieldPath.Body));
    }

    private async Task Receive(HttpContext http, Company company, RequestBody body)
    {
        var receivedAt = intake.Now();
        intake.LimitCompany(company, Origin.Server, receivedAt);
        Taken taken;
        bool isBatch;
        using var turn = await intake.TurnAsync(body, company);
        try
        {
            var wire = WireObject.Read(body.Utf8, FieldPath.Body);
            isBatch = wire.Has(Member.Events);
            taken = Read(wire, company, new(receivedAt, Agent: null));
        }
        catch (RejectionException refused)
        {
            throw new AttributedRejection(company, refused, BodyPeek.TextOf(body.Utf8.Span, Member.EventId));
        }

        turn?.EndParsing();
        var rejected = taken.Refusals.Count == 0 ? null : new RejectionRecord(company, Origin.Server, ReceivingCall.Webhooks, receivedAt, [.. taken.Refusals.Select(refusal => refusal.ToKeep())]);
        var receipts = await intake.AppendAsync(taken.Messages, rejected);
        // Whoever is slow to take the answer keeps no place.
        turn?.Dispose();
        if (!isBatch && receipts[0].Suppressed) throw KeptOut();
        await (isBatch
            ? JsonAnswer.WriteAsync(http, new WebhookBatchAnswer(ResultsOf(taken, receipts)), Wire.Json.WebhookBatchAnswer)
            : JsonAnswer.WriteAsync(http, AnswerOf((TrackedEvent)taken.Messages[0], receipts[0]), Wire.Json.WebhookAnswer));
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
                CheckCompany(item, envelope.Company);
                taken.Messages.Add(Read(item, envelope, index, new(index, null, null)));
            }
            catch (RejectionException refused)
            {
                EdgeMetrics.Refused(RejectionException.NameOf(refused.Reason));
                taken.Refusals.Add(new(index, eventId, refused, json));
            }
        }

        return taken;
    }

    /// <summary>One result for each event, in the order in which they stood.</summary>
    private static List<JsonNode> ResultsOf(Taken taken, Receipt[] receipts)
    {
        var answers = taken.Messages.Zip(receipts, (message, receipt) => receipt.Suppressed
            ? JsonSerializer.SerializeToNode(Problems.Of(KeptOut()), JsonAnswer.Problems.Problem)!
            : JsonSerializer.SerializeToNode(AnswerOf((TrackedEvent)message, receipt), Wire.Json.WebhookAnswer)!).ToList();
        // Refusals are in order too, so each finds those before it in their places.
        foreach (var refusal in taken.Refusals) answers.Insert(refusal.Index, JsonSerializer.SerializeToNode(Problems.Of(refusal.Rejection), JsonAnswer.Problems.Problem)!);
        return answers;
    }

    private static RejectionException KeptOut() => new(Reason.Suppressed, "The person was erased and is suppressed, so the event was not stored. Do not send it again. To accept the person again: trackmate erase --lift");

    private static TrackedEvent Read(WireObject wire, Envelope envelope, int index, FieldPath path)
    {
        var (named, sessionId) = MessageReader.IdentifierOf(wire, envelope.Company, path);
        return MessageReader.Event(wire, envelope, index, named, sessionId);
    }

    private static void CheckCompany(WireObject wire, Company company)
    {
        if (wire.Text(Member.CompanyId) is not { } companyId || companyId == company.CompanyId) return;
        var field = wire.PathOf(Member.CompanyId);
        throw new RejectionException(Reason.ForeignCompany, $"{field} is not the company of this API key; leave it out, or use that company's key.", field.WireName);
    }

    private static WebhookAnswer AnswerOf(TrackedEvent tracked, Receipt receipt) =>
        new(receipt.ProfileId?.ToString(), receipt.ServerSessionId!, tracked.EventId, receipt.Duplicate, Warnings.Of(receipt) is { Count: > 0 } warnings ? warnings : null);
}

// Nobody makes these records: a message is read in one pass over its bytes (Http/WireObject.cs). They are the schema of the body, and a test holds that the fields here are those that are read.

/// <summary>Whom a webhook is about: at least one, taken in the order userId, email, externalId, sessionId.</summary>
internal sealed record WebhookIdentifier(string? Email = null, string? SessionId = null, string? UserId = null, string? ExternalId = null) : IRequestBody;

/// <summary>One event of a back end.</summary>
internal sealed record WebhookBody(
    WebhookIdentifier Identifier,
    string EventType,
    JsonObject? EventData = null,
    DateTimeOffset? Timestamp = null,
    string? EventId = null,
    [property: JsonPropertyName("company_id")] string? CompanyId = null) : IRequestBody;

/// <summary>Many events of a back end, at most 500.</summary>
internal sealed record WebhooksBody(IReadOnlyList<WebhookItem> Events, [property: JsonPropertyName("company_id")] string? CompanyId = null) : IRequestBody;

/// <summary>One webhook of a batch.</summary>
internal sealed record WebhookItem(WebhookIdentifier Identifier, string EventType, JsonObject? EventData = null, DateTimeOffset? Timestamp = null, string? EventId = null) : IRequestBody;
