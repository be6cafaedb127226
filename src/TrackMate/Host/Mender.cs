using TrackMate.Bind;
using TrackMate.Receive;
using TrackMate.Show;
using TrackMate.Store.Tables;

namespace TrackMate.Host;

/// <summary>Connects the dashboard, which shows rejected messages, with the code that receives them again.</summary>
internal sealed class Mender(MendRejected receiver) : IMender
{
    public async Task<Mended> SendAsync(Company company, RejectedRow row, string text, string actor)
    {
        var outcome = await receiver.SendAsync(company, row, text, actor);
        return new(outcome.Stored, outcome.Duplicates, outcome.Reused, outcome.Problems);
    }
}
