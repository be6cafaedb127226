using System.Text;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary>A refused request, mended by a person and sent again: read by the same rules and stored by the same writer as if its sender had sent it so.</summary>
internal sealed class MendRejected(Intake intake)
{
    /// <param name="row">What was refused; it is marked as mended in the transaction that stores it.</param>
    /// <param name="text">Its body as it was mended.</param>
    /// <param name="actor">Who mended it.</param>
    /// <exception cref="StoreUnavailableException">Nothing was stored.</exception>
    public async Task<MendOutcome> SendAsync(Company company, RejectedRow row, string text, string actor)
    {
        try
        {
            var receivedAt = intake.Now();
            intake.LimitCompany(company, row.Origin, receivedAt);
            var taken = Read(company, row, Encoding.UTF8.GetBytes(text), receivedAt);
            // All or nothing: of a batch whose events have no ids, those that were stored would be stored again at the next try.
            if (taken.Refusals.Count > 0) return new(0, 0, false, [.. taken.Refusals.Select(refusal => refusal.Rejection.Message)]);
            if (taken.Messages.Count == 0) return new(0, 0, false, ["events is empty; there is nothing to store."]);

            var receipts = await intake.AppendAsync(taken.Messages, new(company, row.Origin, row.Call, receivedAt, []) { Mends = row.Number, MendedBy = actor });
            if (receipts.Any(receipt => receipt.Suppressed)) return new(0, 0, false, ["The person was erased and is suppressed, so nothing was stored."]);
            var duplicates = receipts.Count(receipt => receipt.Duplicate);
            return new(receipts.Length - duplicates, duplicates, receipts.Any(receipt => receipt.Reused), []);
        }
        catch (RejectionException refused)
        {
            return new(0, 0, false, [refused.Message]);
        }
    }

    private static Taken Read(Company company, RejectedRow row, ReadOnlyMemory<byte> body, long receivedAt)
    {
        // What the company takes from browsers only with a token, nobody mends: the token is not kept, and what a stranger wrote is no better for a click. Also where
        // something else was wrong with it: that was seen before its token was looked at.
        if (row.Call is ReceivingCall.Profile && (row.Status is StatusCodes.Status401Unauthorized || company.Settings.TokenMode is TokenMode.Enforce))
            throw new RejectionException(Reason.TokenMissing, "This message needs a token, and tokens are not kept. Only the browser can send it again with a valid token.");
        if (body.Length > RequestBody.MaxBytes) throw RequestBody.TooLarge();
        if (body.Length == 0) throw new RejectionException(Reason.Malformed, "The body is empty; send a JSON object.");
        var wire = WireObject.Read(body, FieldPath.Body);
        var arrival = new Arrival(receivedAt, row.Agent, receivedAt - row.ReceivedAt);
        if (row.Call is ReceivingCall.Webhooks) return ReceiveWebhook.Read(wire, company, arrival);
        if (wire.RequiredText(Member.CompanyId) != company.CompanyId) throw new RejectionException(Reason.ForeignCompany, $"company_id is not this company's, which is {company.CompanyId}.", "company_id");
        return row.Call is ReceivingCall.Profile ? new(IdentifyProfile.Read(wire, company, arrival)) : TrackEvents.Read(wire, company, arrival);
    }
}

/// <summary>What became of a mended request.</summary>
/// <param name="Stored">Messages that are stored now.</param>
/// <param name="Duplicates">Messages whose eventId had been stored before; nothing changed.</param>
/// <param name="Reused">One of those says something else than what is stored.</param>
/// <param name="Problems">What is still to be mended; then nothing of it was stored.</param>
internal sealed record MendOutcome(int Stored, int Duplicates, bool Reused, IReadOnlyList<string> Problems);
