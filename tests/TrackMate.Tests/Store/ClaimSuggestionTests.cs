using TrackMate.Bind;
using TrackMate.Show;
using TrackMate.Store.Timeline;

namespace TrackMate.Tests.Store;

/// <summary>What browsers claim and may not join, for operators to decide (B13).</summary>
public sealed class ClaimSuggestionTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    [Theory]
    [InlineData(ClaimedJoins.All, new string[0])]
    [InlineData(ClaimedJoins.New, new[] { "b@shop.com", "a@shop.com" })]
    [InlineData(ClaimedJoins.None, new[] { "new@shop.com", "b@shop.com", "a@shop.com" })]
    public async Task Claims_that_may_not_join_are_suggestions_until_they_are_accepted_or_revoked(ClaimedJoins mode, string[] expected)
    {
        var company = Messages.Company(stored.NextCompany());
        company = company with { Settings = company.Settings with { ClaimedJoins = mode } };
        Identifier[] Names(string name) => [Identifier.Email(company, name + "@shop.com"), Identifier.External(company, name)];
        var at = Messages.Ten;
        foreach (var name in new[] { "a", "b", "new" })
        {
            if (name != "new") await stored.Store.AppendAsync([.. Names(name).Select((one, i) => Messages.Webhook(company, "", $"{name}{i}", at) with { Named = [one] })]);
            foreach (var session in new[] { "one", "two" })
                await stored.Store.AppendAsync([Messages.Identify(company, $"session of {name}, {session}", "", $"claim of {name}, {session}", at += 1000) with { Named = Names(name) }]);
        }

        List<ClaimSuggestion> Read(int skip = 0) => stored.Store.Read(database =>
        {
            var suggestions = new Documents(database, company).ClaimSuggestions;
            Assert.Equal(suggestions.Page(company, 0, 100).Count, suggestions.Count(company));
            return suggestions.Page(company, skip, 100);
        });
        string EmailOf(ClaimSuggestion suggestion) => new[] { suggestion.OneIdentifier, suggestion.OtherIdentifier }.Single(identifier => identifier.Kind is IdentifierKind.Email).Value;
        Assert.Equal(expected, Read().Select(EmailOf));
        if (expected.Length == 0) return;
        Assert.Equal(expected.Skip(1), Read(skip: 1).Select(EmailOf));

        var last = Read()[^1];
        Assert.Equal((false, 1), (last.GivesTwoExternalIds, last.Claims.Count));
        Assert.Equal(("claim of a, one", "session of a, one", Messages.Ten + 1000, Origin.Browser), (last.Claims[0].EventId, last.Claims[0].SessionId, last.Claims[0].At, last.Claims[0].Origin));

        Assert.NotNull((await stored.Store.ActAsync(company, (acts, _) => acts.Merge(company, last.One.Id, last.Other.Id, new("tests", at, DryRun: false)))).Outcome);
        Assert.Equal(expected[..^1], Read().Select(EmailOf));
        Assert.NotNull((await stored.Store.ActAsync(company, (acts, _) => acts.RevokePair(company, last.OneIdentifier.Id, last.OtherIdentifier.Id, lift: false, new("tests", at, DryRun: false)))).Outcome);
        var next = Read()[^1];
        Assert.NotNull((await stored.Store.ActAsync(company, (acts, _) => acts.RevokePair(company, next.OneIdentifier.Id, next.OtherIdentifier.Id, lift: false, new("tests", at, DryRun: false)))).Outcome);
        Assert.Equal(expected[..^2], Read().Select(EmailOf));
    }
}
