using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Acts;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Merges all pairs that browsers' claims suggest. Each merge is an act of its own, so that other writes can run in between.</summary>
internal static class AcceptSuggestions
{
    /// <summary>The most pairs to merge at once, the newest first.</summary>
    public const int Most = 500;

    /// <returns>The last line of the audit log; null if nothing was merged.</returns>
    public static async Task<long?> AllAsync(MessageStore store, Company company, ActBy by)
    {
        var pairs = store.Read(database => new ClaimSuggestionReader(database).Page(company, 0, Most), company).Where(pair => !pair.GivesTwoExternalIds).ToList();
        long? line = null;
        foreach (var pair in pairs)
        {
            // An earlier merge of this loop may have joined them already.
            var answer = await store.ActAsync(company, (acts, current) => acts.IsOnePerson(current, pair.OneIdentifier.Id, pair.OtherIdentifier.Id) ? ActRefusal.OnePerson : acts.Merge(current, pair.OneIdentifier.Id, pair.OtherIdentifier.Id, by));
            line = answer.Outcome?.Line ?? line;
        }

        return line;
    }
}
