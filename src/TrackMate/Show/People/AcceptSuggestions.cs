using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Acts;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Merges all pairs that browsers' claims suggest, each as an act of its own: the writer takes others between them.</summary>
internal static class AcceptSuggestions
{
    /// <summary>So many at once, the newest.</summary>
    public const int Most = 500;

    /// <returns>The line of the audit log of the last one; null where nothing was merged.</returns>
    public static async Task<long?> AllAsync(MessageStore store, Company company, ActBy by)
    {
        var pairs = store.Read(database => new ClaimSuggestionReader(database).Page(company, 0, Most), company).Where(pair => !pair.GivesTwoExternalIds).ToList();
        long? line = null;
        foreach (var pair in pairs)
        {
            // One before may have made them one person already.
            var answer = await store.ActAsync(company, (acts, current) => acts.IsOnePerson(current, pair.OneIdentifier.Id, pair.OtherIdentifier.Id) ? ActRefusal.OnePerson : acts.Merge(current, pair.OneIdentifier.Id, pair.OtherIdentifier.Id, by));
            line = answer.Outcome?.Line ?? line;
        }

        return line;
    }
}
