using TrackMate.Bind;
using TrackMate.Show;

namespace TrackMate.Tests.Store;

/// <summary>Of one identifier the earliest pairs are candidates (B13): who is late and earlier takes the place of another.</summary>
public sealed class CandidatePairsTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    /// <param name="cluster">From how many pairs on each identifier chooses for itself.</param>
    /// <param name="joins">Whether the late pair joins; it does not where the late e-mail is named with somebody else before, and takes the place all the same.</param>
    [Theory]
    [InlineData(100, true)]
    [InlineData(0, true)]
    [InlineData(100, false)]
    [InlineData(0, false)]
    public async Task A_pair_whose_place_a_late_one_takes_joins_no_longer(int cluster, bool joins)
    {
        var company = Messages.Company(stored.NextCompany());
        company = company with { Settings = company.Settings with { JoinLimits = new(Pairs: 1, Cluster: cluster) } };
        var (customer, first, late) = (Identifier.External(company, "customer"), Identifier.Email(company, "first@shop.com"), Identifier.Email(company, "late@shop.com"));
        async Task NameAsync(long at, params Identifier[] named) => await stored.Store.AppendAsync([Messages.Webhook(company, "", $"{at}", at) with { Named = named }]);
        string[] PersonOf(Identifier identifier) => stored.Store.Read(database => new Documents(database, company).Persons.Find(company, identifier.Id)!.Identifiers.Select(one => one.Identifier.Value).Order(StringComparer.Ordinal).ToArray());

        if (!joins) await NameAsync(Messages.Ten - 2000, late, Identifier.External(company, "somebody else"));
        await NameAsync(Messages.Ten, first, customer);
        Assert.Equal(["customer", "first@shop.com"], PersonOf(first));

        await NameAsync(Messages.Ten - 1000, late, customer);

        Assert.Equal(joins ? ["customer", "late@shop.com"] : ["customer"], PersonOf(customer));
        Assert.Equal(["first@shop.com"], PersonOf(first));
    }

    /// <summary>
    /// In a large cluster an e-mail joins its earliest externalId, and an id of which nobody knew what it is the id of may turn out to be an earlier one.
    /// </summary>
    [Fact]
    public async Task Who_chose_a_later_externalId_leaves_it_for_an_id_that_turns_out_to_be_one()
    {
        var company = Messages.Company(stored.NextCompany());
        company = company with { Settings = company.Settings with { JoinLimits = new(Cluster: 0) } };
        var (email, early, late) = (Identifier.Email(company, "bob@shop.com"), Identifier.External(company, "early"), Identifier.External(company, "late"));
        async Task NameAsync(long at, params Identifier[] named) => await stored.Store.AppendAsync([Messages.Webhook(company, "", $"{at}", at) with { Named = named }]);
        string[] PersonOf(Identifier identifier) => stored.Store.Read(database => new Documents(database, company).Persons.Find(company, identifier.Id)!.Identifiers.Select(one => one.Identifier.Value).Order(StringComparer.Ordinal).ToArray());

        await NameAsync(Messages.Ten, Identifier.Bare(early.Id), email);
        await NameAsync(Messages.Ten + 1, email, late);
        Assert.Equal(["bob@shop.com", "late"], PersonOf(email));

        await NameAsync(Messages.Ten + 2, early);

        Assert.Equal(["bob@shop.com", "early"], PersonOf(email));
        Assert.Equal(["late"], PersonOf(late));
        Assert.Equal([(long)JoinStop.TwoExternalIds], stored.Store.Read(database =>
            database.Use("SELECT stop FROM pair WHERE company = ? AND at_ms = ?").With(company.Number).With(Messages.Ten + 1).DeferAll(row => row.LongOrNull(0)).Value));
    }
}
