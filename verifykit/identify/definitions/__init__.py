"""Operations written out in plain torch with their sources, and the variants of them that people get wrong."""
