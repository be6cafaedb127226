using System.Text.Json;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary><c>POST /api/webhooks/events</c>: a back end's events, one or many, for whomever they name.</summary>
internal sealed class ReceiveWebhook(Intake intake)
{
    public Task Handle(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, intake.Registry, Scopes.Write);
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
            throw new AttributedRejection(company, refused, WireObject.Peek(body.Utf8.Span, Member.EventId));
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
