using System.Text.Json;
using System.Text.Json.Nodes;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store;

namespace TrackMate.Receive;

/// <summary><c>POST /api/webhooks/events</c>: a back end's events, one or many, for whomever they name.</summary>
internal sealed class ReceiveWebhook(Intake intake)
{
    public Task Handle(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, intake.Registry, Scopes.Write);
        return intake.Run(http, (_, body) => Receive(http, company, body), company);
    }

    private async Task Receive(HttpContext http, Company company, RequestBody body)
    {
        var receivedAt = intake.Now();
        intake.LimitCompany(company, receivedAt);
        WireObject wire;
        try
        {
            wire = WireObject.Read(body.Utf8, FieldPath.Body);
            CheckCompany(wire, company);
        }
        catch (Refused refused)
        {
            throw new Refusal(company, Origin.Server, refused, WireObject.Peek(body.Utf8.Span, Member.EventId));
        }

        var envelope = new Envelope(company, Origin.Server, receivedAt, SentAt: null, SessionId: null, default, Agent: null);
        await (wire.Has(Member.Events) ? ReceiveBatch(http, wire, envelope) : ReceiveOne(http, wire, envelope, body));
    }

    private async Task ReceiveOne(HttpContext http, WireObject wire, Envelope envelope, RequestBody body)
    {
        TrackedEvent tracked;
        try
        {
            if (body.Utf8.Length > Intake.MaxEventBytes) throw Batches.TooLarge("The event");
            tracked = Read(wire, envelope, index: 0, FieldPath.Body);
        }
        catch (Refused refused)
        {
            throw new Refusal(envelope.Company, Origin.Server, refused, Batches.EventIdOf(wire));
        }

        var receipts = await intake.AppendAsync([tracked], rejected: null);
        if (receipts[0].Suppressed) throw KeptOut();
        await Intake.WriteAsync(http, AnswerOf(tracked, receipts[0]), Wire.Json.WebhookAnswer);
    }

    private async Task ReceiveBatch(HttpContext http, WireObject wire, Envelope envelope)
    {
        var messages = new List<Message>();
        var results = new List<JsonNode?>();
        var kept = new List<RejectedEvent>();
        List<ReadOnlyMemory<byte>> items;
        try
        {
            items = wire.Array(Member.Events, Intake.MaxEvents);
        }
        catch (Refused refused)
        {
            throw new Refusal(envelope.Company, Origin.Server, refused);
        }

        foreach (var (index, json) in items.Index())
        {
            string? eventId = null;
            try
            {
                var item = Batches.Read(json, index);
                eventId = Batches.EventIdOf(item);
                CheckCompany(item, envelope.Company);
                messages.Add(Read(item, envelope, index, new(index, null, null)));
                results.Add(null);
            }
            catch (Refused refused)
            {
                ReceiveMetrics.Refused(Refused.NameOf(refused.Reason));
                kept.Add(Intake.ToKeep(refused, eventId, json));
                results.Add(JsonSerializer.SerializeToNode(Problems.Of(refused), Wire.Json.Problem)!);
            }
        }

        var receipts = await intake.AppendAsync(messages, kept.Count == 0 ? null : new(envelope.Company, Origin.Server, envelope.ReceivedAt, kept));
        var next = 0;
        for (var i = 0; i < results.Count; i++)
        {
            if (results[i] is not null) continue;
            results[i] = receipts[next].Suppressed
                ? JsonSerializer.SerializeToNode(Problems.Of(KeptOut()), Wire.Json.Problem)
                : JsonSerializer.SerializeToNode(AnswerOf((TrackedEvent)messages[next], receipts[next]), Wire.Json.WebhookAnswer);
            next++;
        }

        await Intake.WriteAsync(http, new WebhookBatchAnswer(results!), Wire.Json.WebhookBatchAnswer);
    }

    private static Refused KeptOut() => new(Reason.Suppressed, "The person that this event names was erased and asked to stay away, so nothing of it was kept; do not send it again. To let them back in: trackmate erase --lift");

    private static TrackedEvent Read(WireObject wire, Envelope envelope, int index, FieldPath path)
    {
        var (named, sessionId) = MessageReader.IdentifierOf(wire, envelope.Company, path);
        return MessageReader.Event(wire, envelope, index, named, sessionId);
    }

    private static void CheckCompany(WireObject wire, Company company)
    {
        if (wire.Text(Member.CompanyId) is not { } companyId || companyId == company.CompanyId) return;
        var field = wire.PathOf(Member.CompanyId);
        throw new Refused(Reason.ForeignCompany, $"{field} is not the company of this API key; leave it out, or use that company's key.", field.WireName);
    }

    private static WebhookAnswer AnswerOf(TrackedEvent tracked, Receipt receipt)
    {
        List<string> warnings = [];
        if (receipt.UnknownUserId) warnings.Add(Warnings.UnknownUserId);
        if (receipt.Reused) warnings.Add(Warnings.EventIdReused);
        if (receipt.MoneyUnreadable) warnings.Add(Warnings.AmountUnreadable);
        warnings.AddRange((receipt.JoinsStopped ?? []).Select(Warnings.Of));
        return new(receipt.ProfileId?.ToString(), receipt.ServerSessionId!, tracked.EventId, receipt.Duplicate, warnings.Count == 0 ? null : warnings);
    }
}
